"""Which receiver of an Alertmanager in front leads to Tocsin; and what the other checks of one share.

That Alertmanager should pass on everything at once and leave the waiting, the muting and the telling to
Tocsin, which remembers who was told: docs/checking-rules.md gives the whole file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.finding import Finding
from config.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.alertmanager import Front, Webhook
    from config.findings.subject import Subject
    from config.problems import Path


_TIMERS: Final = "  group_wait: 0s\n  group_interval: 10s\n  repeat_interval: 5m\n"


def in_front(*, webhook: str = "", routes: str = "", more: str = "") -> str:
    """An alertmanager.yml for examples: right, but for what is put into it."""
    below = f"  routes:\n{routes}" if routes else ""
    return (
        f"route:\n  receiver: tocsin\n{_TIMERS}{below}{more}receivers:\n  - name: tocsin\n"
        f"    webhook_configs:\n      - url: http://tocsin:9199/webhook\n{webhook}  - name: chat\n"
    )


GOOD: Final = Example(alertmanager=in_front())

NO_WAY: Final = Code(
    "TOC701",
    "front-without-tocsin",
    "error",
    "An Alertmanager that does not send to Tocsin",
    found="An alertmanager.yml in which no receiver is certain to be Tocsin: no webhook leads to its path "
    "`/webhook`, or webhooks of several addresses do and `--tocsin-receiver` does not say which is meant.",
    bad="Tocsin hears of no alert, or the other checks of this file cannot tell which of its routes count.",
    example=Example(alertmanager=in_front().replace("/webhook", "/")),
    instead=GOOD,
)


def _no_way(subject: Subject) -> Iterator[Finding]:
    front = subject.front
    if front is None or webhooks_of(subject):
        return
    for name in front.named:
        if name not in front.receivers:
            reason = f"there is no receiver {name!r}{did_you_mean(name, front.receivers)}"
        else:
            reason = f"the receiver {name!r} has no webhook"
        advice = "Name the one that leads to Tocsin."
        yield finding_in(front, NO_WAY, ("receivers",), reason, advice)
    if front.named:
        return
    names = sorted({webhook.receiver for webhook in _candidates(subject, front)})
    if names:
        reason = f"the webhooks of {' and '.join(map(repr, names))} lead to different addresses"
        advice = f"Say which is Tocsin's: --tocsin-receiver {names[0]}."
    else:
        reason = "no receiver has a webhook that leads to Tocsin, http://HOST:9199/webhook"
        advice = (
            'Add one: webhook_configs: [{url: "http://HOST:9199/webhook", send_resolved: true}]; or say '
            "which it is: --tocsin-receiver NAME."
        )
    yield finding_in(front, NO_WAY, ("receivers",), reason, advice)


def receivers_of(subject: Subject) -> frozenset[str]:
    """The names of the receivers that certainly are Tocsin."""
    return frozenset(webhook.receiver for webhook in webhooks_of(subject))


def webhooks_of(subject: Subject) -> tuple[Webhook, ...]:
    """The webhooks that certainly lead to Tocsin."""
    front = subject.front
    if front is None:
        return ()
    if front.named:
        return tuple(webhook for webhook in front.webhooks if webhook.receiver in front.named)
    found = _candidates(subject, front)
    return found if len({webhook.address()[0] for webhook in found}) == 1 else ()


def _candidates(subject: Subject, front: Front) -> tuple[Webhook, ...]:
    """Those that may: at Tocsin's address; else with its path; else the only one, if it hides its url."""
    found = tuple(one for one in front.webhooks if one.address()[1].rstrip("/").endswith("/webhook"))
    host = urlsplit(subject.config.external_url or "").hostname
    own = tuple(one for one in found if host and one.address()[0].startswith(f"{host}:"))
    if not found and len(front.webhooks) == 1 and not front.webhooks[0].keys.get("url"):
        return front.webhooks
    return own or found


def written(front: Front, path: Path) -> Any:
    """What stands at a path, None if nothing does."""
    here = front.document.root
    for part in path:
        if isinstance(part, int):
            here = here.items[part]
        elif part in here.entries:
            here = here.entries[part][1]
        else:
            return None
    return here.plain()


def finding_in(front: Front, code: Code, path: Path, reason: str, advice: str) -> Finding:
    """A finding about the key that stands in the Alertmanager's file at `path`, or the nearest above it."""
    problem = front.document.problem(path, reason, key=True)
    return Finding(problem.file, problem.line, problem.column, problem.path, code.id, reason, advice, code)


CHECKS: Final = (Check(NO_WAY, _no_way),)
