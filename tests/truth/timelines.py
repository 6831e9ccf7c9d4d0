"""What people were told, by the services' word and by a simulation's, in one form, and what differs."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.simulation.texts import mail_text, slack_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routing.story import Notification


class Told(NamedTuple):
    """One message that a service took. `at` in milliseconds since the world began."""

    at: int
    who: str
    by: str
    where: str
    kind: str
    incident: int
    why: str
    counts: str
    text: str

    def shown(self) -> str:
        first = (
            f"{self.at / 1000:10.3f} {self.kind:6} {self.by:9} {self.who:18} {self.where:18} #{self.incident}"
        )
        return "\n".join(
            (f"{first} ({self.why}; {self.counts})", *(f"             | {t}" for t in self.text.splitlines()))
        )


def whom(receiver: str, person: str) -> str:
    """A delivery's receiver, as a story names targets."""
    if person:
        return f"user:{person}"
    who, colon, _ = receiver.rpartition(": ")
    if colon and who.startswith("team "):
        return f"team:{who.removeprefix('team ')}"
    return "team:" if colon and who == "no team" else f"receiver:{receiver}"


def as_told(notifications: Iterable[Notification], began: int) -> list[Told]:
    """What a simulation says."""
    return [
        Told(
            one.at - began,
            f"{one.target_kind}:{one.target}",
            one.by,
            "#ops"
            if one.where.startswith("slack-webhook:")
            else one.where
            if one.by in ("slack", "email")
            else "",
            one.kind,
            one.incident,
            one.why,
            f"{one.firing}/{one.ended}",
            cleaned(one.text, one.by),
        )
        for one in notifications
    ]


def text_of(by: str, kind: str, came: Any) -> str:
    """What a service was handed, in the words of `Notification.text`."""
    match by:
        case "webhook":
            return cleaned(json.dumps(came), by)
        case "pagerduty":
            events, shown = came
            last = [one for one in events if one["event_action"] == "trigger"][-1:]
            if kind == "end":
                return str(events[-1]["event_action"])
            return str(last[0]["payload"]["summary"]) if last else shown
        case "email":
            return cleaned(mail_text(came.raw), by)
        case _:
            said = [one["look"] for one in came if one["what"] == "reply" and one["message"].heard]
            whole = [one["look"] for one in came if one["what"] != "reply"]
            return cleaned("\n".join(map(slack_text, (*map(_first, said), *whole[-1:]))), by)


def _first(look: dict[str, Any]) -> dict[str, Any]:
    """Without the lines of the timeline below it."""
    return look | {"blocks": look["blocks"][:1]}


_LINK = re.compile(r"/link/[\w.-]+")
_FAILED = re.compile(r"(attempt failed, will be repeated|refused for good): .*")


def cleaned(text: str, by: str) -> str:
    """Without what no simulation can know: what signs a link, and by which words a service refuses."""
    if by == "webhook" and text:
        return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False)
    return _FAILED.sub(r"\1", _LINK.sub("/link/...", text).replace("\r\n", "\n")).strip()


def ordered(told: Iterable[Told]) -> list[Told]:
    """Who is told at one moment is told in no order."""
    return sorted(told)


def first_difference(real: Sequence[Told], simulated: Sequence[Told]) -> str:
    """Of which kind the first of them is; "" where there is none."""
    one, other = Counter(real), Counter(simulated)
    mine, its = sorted((one - other).elements()), sorted((other - one).elements())
    if not (mine or its):
        return ""
    if not (mine and its):
        first = (mine or its)[0]
        return f"{'service' if mine else 'simulation'} only: {first.by} {first.kind}"
    if mine[0][:6] == its[0][:6]:
        fields = [name for name in Told._fields if getattr(mine[0], name) != getattr(its[0], name)]
        return f"{mine[0].by} {mine[0].kind}: {', '.join(fields)}"
    first = min(mine[0], its[0])
    return f"{'service' if first is mine[0] else 'simulation'} only: {first.by} {first.kind}"


def differences(real: Sequence[Told], simulated: Sequence[Told]) -> list[str]:
    """Both timelines as a diff, "" where they are the same."""
    one, other = ordered(real), ordered(simulated)
    if one == other:
        return []
    lines = [[line for told in some for line in told.shown().splitlines()] for some in (one, other)]
    return list(difflib.unified_diff(*lines, "the service", "the simulation", lineterm="", n=4))
