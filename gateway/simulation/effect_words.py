"""Effects in words: `executives: told after 15 min instead of 5 min`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.simulation.effects import ANOTHER, OWN, Change, Effect, Way, Who
from routing.matchers import show
from routing.telling import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.simulation.label_sets import ChangedRule

_SERVICES: Final = {"pagerduty": "PagerDuty", "slack": "Slack", "email": "email", "webhook": "webhook"}
_READ: Final = ("slack", "email")  # where people know the place by its name


def sentences(effect: Effect) -> Iterator[str]:
    """What is different, one sentence for each of those whom it concerns."""
    if effect.lost:
        yield "nobody is told any more"
    if effect.held and not effect.lost:
        yield "nobody is told of it any more"
    if effect.freed:
        yield "people are told of it, as nothing holds it any more"
    yield from map(sentence, effect.changes)
    if effect.grouping:
        old, new = effect.grouping
        yield f"alerts are grouped by {new} instead of {old}"


def sentence(change: Change) -> str:
    """What is different for somebody."""
    who, ways = name(change.who), _ways(change.ways)
    match change.kind:
        case "lost":
            return f"{who}: no longer told by {ways}, as they were {_after(change.old[0])}"
        case "new":
            return f"{who}: newly told by {ways}, {_after(change.new[0])}"
        case "way":
            now = _ways(change.new_ways)
            now = f"another {now}" if now == ways else now
            later = "" if change.old == change.new else f", {_instead(change)}"
            return f"{who}: told by {now} instead of {ways}{later}"
        case "later" | "earlier":
            again = "again " if change.again else ""
            return f"{who}: told by {ways} {again}{_instead(change)}"
        case "more" | "fewer":
            times = f"{_times(len(change.new))} instead of {_times(len(change.old))}"
            return f"{who}: told by {ways} {times} within {spoken(max(change.old + change.new))}"


def name(who: Who) -> str:
    """Who somebody is."""
    if who.target == OWN:
        return "its team"
    if who.target_kind == "team":
        return f"team {who.target}" if who.target else "team_defaults"
    return who.target


def _ways(ways: Sequence[Way]) -> str:
    return " and ".join(dict.fromkeys(map(_way, ways)))


def _way(way: Way) -> str:
    service = _SERVICES.get(way.by, way.by)
    if way.where.startswith(ANOTHER):
        return f"another {service}"
    return f"{service} {way.where}" if way.by in _READ and way.where else service


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _after(ms: int) -> str:
    return f"after {spoken(ms)}" if ms else "at once"


def _instead(change: Change) -> str:
    return f"{_after(change.new[0])} instead of {_after(change.old[0]).removeprefix('after ')}"


def beside(changed: ChangedRule) -> str:
    """Beside which alerts it is so, and whose inhibition rule does it."""
    equal = ", ".join(sorted(set(changed.rule.equal)))
    with_same = f" with the same {equal}" if equal else ""
    whose = "a new inhibition rule" if changed.new else "an inhibition rule that is gone"
    called = f" ({changed.rule.name})" if changed.rule.name else ""
    return f"while an alert {show(changed.rule.source)}{with_same} fires, by {whose}{called}:"
