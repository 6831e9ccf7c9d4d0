"""What a change of the configuration means for people: two stories of the same alert, compared.

Only what is heard counts: who is told no longer, or newly, sooner or later, by another way, more or less
often. Texts and colours do not. A team that is told of its own alerts, or what stands in for one, is "its
team", so that what is the same for every team is one effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.story import Notification

Kind = Literal["lost", "new", "later", "earlier", "way", "fewer", "more"]

OWN: Final = "*"
"""The team whose alert it is, whichever that is."""
ANOTHER: Final = "+"
_ORDER: Final = ("lost", "way", "later", "fewer", "new", "earlier", "more")


class Who(NamedTuple):
    """Somebody who is told. `target_kind` as in `Notification`; `target` OWN for the alert's own team."""

    target_kind: str
    target: str


class Way(NamedTuple):
    """By which service, and where people read it there; `where` is empty where it makes no difference, and
    ANOTHER for one more of a service.
    """

    by: str
    where: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is different for somebody. Times are ms since the alert fires.

    Attributes:
        ways: by which ways; for `way` those that only the old configuration has.
        new_ways: for `way` those that only the new one has; it has no times then.
        old, new: when they are told, by the first way for which that differs.
        again: they are told at other times only after the first, which is the same.
    """

    kind: Kind
    who: Who
    ways: tuple[Way, ...]
    new_ways: tuple[Way, ...] = ()
    old: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """All that is different.

    Attributes:
        lost: somebody was told of the alert, and now nobody is.
        missing: who was told and is told no longer, by any way; nor is anybody else at the same address.
        held, freed: beside another alert nobody is told of this one any more, or people are now.
        grouping: by which labels alerts are grouped, in the old and the new configuration, if that differs
            and people are told by both.
    """

    changes: tuple[Change, ...] = ()
    lost: bool = False
    missing: tuple[Who, ...] = ()
    grouping: tuple[str, str] | None = None
    held: bool = False
    freed: bool = False

    def __bool__(self) -> bool:
        return self != NONE


NONE: Final = Effect()

Heard = tuple["Ring", ...]
"""What is heard in a story."""


class Ring(NamedTuple):
    """One notification that is heard, `after` ms."""

    who: Who
    way: Way
    after: int


def heard(notifications: Iterable[Notification], began: int) -> Heard:
    """What is heard of the notifications, with times since `began`."""
    return tuple(
        Ring(Who(one.target_kind, one.target), Way(one.by, one.where), one.at - began)
        for one in notifications
        if one.kind == "ring"
    )


def compare(old: Heard, new: Heard) -> Effect:
    """The effect for the alert of which both tell."""
    teams = {ring.who.target for ring in (*old, *new) if ring.who.target_kind == "team"}
    before, after = (_by_person(rings, own=len(teams) == 1) for rings in (old, new))
    who = Who("team", OWN)
    if who not in before or who not in after or before[who].keys() == after[who].keys():
        names = _anywhere(before.get(who) or after.get(who) or {})
        for some in (before, after):  # whatever a team's channels are, they are not what is different
            if who in some:
                some[who] = {names[way]: times for way, times in some[who].items()}
    changes = [
        change
        for who in dict.fromkeys((*before, *after))
        for change in _changes(who, before.get(who, {}), after.get(who, {}))
    ]
    changes.sort(key=lambda one: (_ORDER.index(one.kind), one.who, one.ways, one.old, one.new))
    return Effect(tuple(changes), lost=bool(old) and not new, missing=_missing(old, new, before, after))


def _missing(
    old: Heard, new: Heard, before: Mapping[Who, _Times], after: Mapping[Who, _Times]
) -> tuple[Who, ...]:
    """Who is heard of no longer, under whatever name."""
    addresses = {ring.way for ring in new}
    still = {ring.who for ring in old if ring.way in addresses}
    still |= {Who("team", OWN)} if any(who.target_kind == "team" for who in still) else set()
    return tuple(sorted(who for who in before if who not in after and who not in still))


def beside(old: Heard, new: Heard, *, lost: bool) -> Effect:
    """The effect for an alert beside another; `lost`: nobody is told of either any more."""
    if bool(old) != bool(new):
        return Effect(lost=lost, held=bool(old), freed=bool(new))
    return replace(compare(old, new), lost=lost)


_Times = dict[Way, tuple[int, ...]]


def _by_person(rings: Sequence[Ring], *, own: bool) -> dict[Who, _Times]:
    """Who is told, by which ways, when; `own`: there is but one team."""
    found: dict[Who, _Times] = {}
    for who, way, after in rings:
        times = found.setdefault(Who("team", OWN) if own and who.target_kind == "team" else who, {})
        times[way] = (*times.get(way, ()), after)
    return found


def _anywhere(times: _Times) -> dict[Way, Way]:
    """Ways without their places; of several of one service the first that is told, then `ANOTHER` ones."""
    found: dict[Way, Way] = {}
    for way in sorted(times, key=lambda way: (times[way], way)):
        known = sum(other.by == way.by for other in found)
        found[way] = Way(way.by, ANOTHER * known)
    return found


def _changes(who: Who, old: _Times, new: _Times) -> Iterable[Change]:
    gone = tuple(sorted(way for way in old if way not in new))
    come = tuple(sorted(way for way in new if way not in old))
    if gone and come:
        yield Change("way", who, gone, come, _first(old, gone), _first(new, come))
    elif gone:
        yield Change("lost", who, gone, old=_first(old, gone))
    elif come:
        yield Change("new", who, come, new=_first(new, come))
    alike: dict[tuple[Kind, tuple[int, ...], tuple[int, ...], bool], list[Way]] = {}
    for way in sorted(way for way in old if way in new and old[way] != new[way]):
        alike.setdefault(_difference(old[way], new[way]), []).append(way)
    for (kind, before, after, again), ways in alike.items():
        yield Change(kind, who, tuple(ways), old=before, new=after, again=again)


def _first(times: _Times, ways: Sequence[Way]) -> tuple[int, ...]:
    return (min(times[way][0] for way in ways),)


def _difference(
    old: tuple[int, ...], new: tuple[int, ...]
) -> tuple[Kind, tuple[int, ...], tuple[int, ...], bool]:
    """What is different between two lists of times: when they are told first, else how often, else when.

    With it, whether only a later time differs.
    """
    if old[0] == new[0] and len(old) != len(new):
        return ("more" if len(new) > len(old) else "fewer"), old, new, False
    before, after = next(both for both in zip(old, new, strict=False) if both[0] != both[1])
    return ("later" if after > before else "earlier"), (before,), (after,), old[0] == new[0]
