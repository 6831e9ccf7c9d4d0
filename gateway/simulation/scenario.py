"""What people do, what fails and what is silenced in a simulation, as `tocsin simulate` is told.

Times in it count from the first firing. Alerts are `given.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from config.problems import did_you_mean
from gateway.simulation.given import GivenError
from gateway.simulation.run import LONGEST, Failure
from gateway.simulation.times import LATEST, TimeError, duration
from routing.events import Acknowledged, Resolved
from routing.matchers import MatcherError, parse_matchers, show
from routing.oncall import Override
from routing.silence_changes import InvalidSilenceError, check_matchers
from routing.silences import Silence
from routing.story import Said, SilencesChanged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from config.compile import Plan

VIA: Final = "simulation"

_KINDS: Final = ("pagerduty", "slack", "email", "webhook")
_SOMEBODY: Final = "somebody"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: options as they are, "" and () for those that were not given."""

    acks: Sequence[str] = ()
    by: str = ""
    resolve: str = ""
    snoozes: Sequence[str] = ()
    fails: Sequence[str] = ()
    silences: Sequence[str] = ()
    overrides: Sequence[str] = ()

    @property
    def answers(self) -> bool:
        """Whether anybody says anything."""
        return bool(self.acks or self.resolve or self.snoozes)


@dataclass(frozen=True, slots=True)
class Names:
    """Whom and what the configurations have that are simulated."""

    users: Collection[str]
    receivers: Collection[str]
    schedules: Collection[str]


def names_of(plans: Iterable[Plan]) -> Names:
    """What any of them has."""
    users, receivers, schedules = dict[str, None](), dict[str, None](), dict[str, None]()
    for plan in plans:
        users |= dict.fromkeys(user.name for user in plan.config.users)
        receivers |= dict.fromkeys(plan.receivers)
        schedules |= dict.fromkeys(plan.schedules)
    return Names(users.keys(), receivers.keys(), schedules.keys())


# --- answers --------------------------------------------------------------------------------------------


def answers(typed: Typed, began: int, names: Names) -> list[Said]:
    """What people say, in order.

    Raises:
        GivenError: it cannot be meant.
    """
    by = _who(typed, names)
    said: list[Said] = []
    for text in typed.acks:
        at = began + _after("--ack", text)
        said.append(Said(at, Acknowledged(by, VIA)))
    for text in typed.snoozes:
        after, lasts = _span("--snooze", text, "when and for how long, such as 10m+1h")
        if began + after + lasts >= LATEST:
            raise GivenError(f"--snooze {text}: it would end after the year 9998; expected a shorter one")
        said.append(Said(began + after, Acknowledged(by, VIA, until=began + after + lasts)))
    if typed.resolve:
        said.append(Said(began + _after("--resolve", typed.resolve), Resolved(by, VIA)))
    return sorted(said, key=lambda one: one.at)


def refuse_contradictions(typed: Typed, fires: int | None) -> None:
    """Of a single alert: whoever answers after its incident was resolved by hand means something else.

    Raises:
        GivenError: that is so.
    """
    if not typed.resolve:
        return
    end = _length("--resolve", typed.resolve)
    if fires is not None and end > fires:
        raise GivenError(
            f"--resolve {typed.resolve}: the alert has ended by then (--fires); expected an earlier time"
        )
    starts = [("--ack", text, _length("--ack", text)) for text in typed.acks]
    starts += [("--snooze", text, _span("--snooze", text, "")[0]) for text in typed.snoozes]
    for option, text, at in starts:
        if at >= end:
            raise GivenError(
                f"{option} {text} contradicts --resolve {typed.resolve}: it is over by then; "
                "expected an answer before the end"
            )


def _who(typed: Typed, names: Names) -> str:
    if not typed.by:
        return _SOMEBODY
    if not typed.answers:
        raise GivenError("--by says who answers; expected --ack, --snooze or --resolve beside it")
    if names.users and typed.by not in names.users:
        raise GivenError(_no("user", typed.by, names.users, "--by"))
    return typed.by


# --- failures, silences, overrides ----------------------------------------------------------------------


def failures(typed: Typed, began: int, names: Names) -> list[Failure]:
    """What takes nothing, and how long.

    Raises:
        GivenError: it is nothing that the configuration has, or the time is none.
    """
    return [_failure(text, began, names) for text in typed.fails]


def _failure(text: str, began: int, names: Names) -> Failure:
    expected = "what and how long, such as slack=30m, slack=10m+30m or pagerduty=refused"
    name, equals, how = text.rpartition("=")
    if not equals or not name or not how:
        raise GivenError(f"--fail: {text!r} does not say it; expected {expected}")
    name = "email" if name == "mail" else name
    known = [*_KINDS, *names.receivers, *names.users]
    if name not in known:
        raise GivenError(_no("service, receiver or user", name, known, "--fail"))
    if how == "refused":
        return Failure(name, began, began + 2 * LONGEST, refused=True)
    if "+" in how:
        after, lasts = _span("--fail", how, expected, text)
    else:
        meant = f"expected {expected}{did_you_mean(how, ['refused'])}"
        after, lasts = 0, _length("--fail", how, meant, text)
    return Failure(name, began + after, began + after + lasts)


def silences(typed: Typed, began: int) -> list[SilencesChanged]:
    """Silences that are there from the beginning to the end.

    Raises:
        GivenError: their matchers are none.
    """
    found: list[Silence] = []
    for text in typed.silences:
        try:
            matchers = tuple(parse_matchers(text))
            check_matchers(matchers)
        except MatcherError as error:
            raise GivenError(f"--silence: {text!r} at character {error.column}: {error}") from None
        except InvalidSilenceError as error:
            raise GivenError(f"--silence: {text!r}: {error}") from None
        end = began + 2 * LONGEST
        found.append(Silence(show(matchers), matchers, began, end, VIA, "--silence", began))
    return [SilencesChanged(began, tuple(found))] if found else []


def overrides(typed: Typed, began: int, names: Names) -> list[Override]:
    """Who is on call instead, from the beginning to the end.

    Raises:
        GivenError: there is no such schedule or user.
    """
    found: list[Override] = []
    for number, text in enumerate(typed.overrides, 1):
        schedule, equals, who = text.partition("=")
        people = tuple(name.strip() for name in who.split(",") if name.strip())
        if not equals or not people:
            raise GivenError(
                f"--override: {text!r} does not say it; expected SCHEDULE=USER, such as backend=dana"
            )
        if schedule not in names.schedules:
            raise GivenError(_no("schedule", schedule, names.schedules, "--override"))
        for name in people:
            if name not in names.users:
                raise GivenError(_no("user", name, names.users, "--override"))
        found.append(Override(str(number), schedule, began - 1, began + 2 * LONGEST, people, by=VIA))
    return found


# --- texts ----------------------------------------------------------------------------------------------


def _no(what: str, name: str, known: Collection[str], option: str) -> str:
    near = did_you_mean(name, known)
    shown = ", ".join([*known][:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    there = f"expected one of {shown}" if known else f"the configuration has no {what}s"
    return f"{option}: there is no {what} {name!r}; {there}{near}"


def _length(option: str, text: str, expected: str = "", whole: str = "") -> int:
    """A duration; `whole` is what it is a part of, as it was typed."""
    try:
        return duration(text)
    except TimeError as error:
        said = f"{text!r} is no duration; {expected}" if expected else str(error)
        raise GivenError(f"{option} {whole or text}: {said}") from None


def _after(option: str, text: str) -> int:
    after = _length(option, text)
    if after > LONGEST:
        raise GivenError(f"{option} {text}: a story ends after 7 days; expected an earlier time")
    return after


def _span(option: str, text: str, expected: str, whole: str = "") -> tuple[int, int]:
    """`10m+1h`: after how long, and for how long; `whole` is what it is a part of, as it was typed."""
    after, plus, lasts = text.partition("+")
    if not plus:
        raise GivenError(f"{option}: {text!r} does not say it; expected {expected}")
    _length(option, after, f"expected {expected}", whole or text)
    found = _after(option, after), _length(option, lasts, f"expected {expected}", whole or text)
    if not found[1]:
        raise GivenError(f"{option}: {text!r} lasts no time; expected {expected}")
    return found
