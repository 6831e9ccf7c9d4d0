"""Silences: which alerts are kept quiet by whom, until when; found quickly among thousands.

This module says what a silence is, in which state it is at a moment, and which silences an alert meets. How
one is made, changed and ended is `silence_changes.py`'s. What a silence holds back, and who is told when it
ends, is not decided here.

Rules: Alertmanager's `silence/silence.go` and its API. One boundary is decided as its API shows it: a silence
is active at its start and expired at its end. All times are milliseconds since the epoch.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from routing.matchers import Matcher, from_json, matches_all, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CROWD: Final = 8
_WORDS: Final = 64  # of one alternation, a|b|c
_REMEMBERED: Final = 16_384
_BEGINNING: Final = re.compile(r"(?:[\w:/@-](?![*+?{]))*", re.ASCII)
_PLAIN: Final = re.compile(r"(?:[\w:/@%,;=<>~&'\"! -]|\\[.+*?()\[\]{}|^$\\-])+", re.ASCII)


class State(StrEnum):
    """Where a silence stands at a moment."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that meet every matcher make no sound from `starts_at` until just before `ends_at`.

    Attributes:
        id: a UUID as text.
        created_by, comment: what people are told about it.
        updated_at: when it was last written, by making, changing or ending it.
        annotations: further words of whoever made it.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str
    updated_at: int
    annotations: Mapping[str, str] = field(default_factory=dict)


def state(silence: Silence, now: int) -> State:
    """Active at its start, expired at its end."""
    if now >= silence.ends_at:
        return State.EXPIRED
    return State.ACTIVE if now >= silence.starts_at else State.PENDING


def in_order(silences: Iterable[Silence], now: int) -> list[Silence]:
    """As Alertmanager lists them: active (what ends first), pending (what starts first), expired (newest)."""

    def place(silence: Silence) -> tuple[int, int, str]:
        match state(silence, now):
            case State.ACTIVE:
                return 0, silence.ends_at, silence.id
            case State.PENDING:
                return 1, silence.starts_at, silence.id
            case State.EXPIRED:
                return 2, -silence.ends_at, silence.id

    return sorted(silences, key=place)


def has_all(silence: Silence, matchers: Iterable[Matcher]) -> bool:
    """Whether each of `matchers` is one of the silence's own, as written; what they mean is not compared."""
    return all(matcher in silence.matchers for matcher in matchers)


def to_record(silence: Silence) -> dict[str, Any]:
    """As it is kept: JSON-able, matchers as in Alertmanager's API."""
    return {
        "id": silence.id,
        "matchers": [to_json(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "comment": silence.comment,
        "updated_at": silence.updated_at,
        "annotations": dict(silence.annotations),
    }


def from_record(record: Mapping[str, Any]) -> Silence:
    """The inverse of `to_record`.

    Raises:
        ValueError, KeyError, TypeError: it is no such record.
    """
    return Silence(
        id=record["id"],
        matchers=tuple(map(from_json, record["matchers"])),
        starts_at=int(record["starts_at"]),
        ends_at=int(record["ends_at"]),
        created_by=record["created_by"],
        comment=record["comment"],
        updated_at=int(record["updated_at"]),
        annotations=dict(record["annotations"]),
    )


class Silences:
    """Silences that do not change, with an index: what an alert meets is found without asking each of them.

    A silence is filed under one of its matchers, the one that fewest others share: under each value that it
    names (`a="b"`, `a=~"b|c"`), else under the label that it needs and how its value begins (`a=~"b.+"`,
    `a!=""`); such patterns are tried once for each new value. What needs no label (`a!="b"`) is always asked.
    """

    def __init__(self, silences: Iterable[Silence] = (), *, crowd: int = CROWD) -> None:
        """`crowd`: how many may share a value before patterns tell them apart; it changes no answer."""
        self._crowd = crowd
        self.all: Final = tuple(silences)
        self._by_id = {silence.id: silence for silence in self.all}
        kept = [silence for silence in self.all if silence.starts_at < silence.ends_at]
        self._always: list[Silence] = []
        self._valued: dict[tuple[str, str], list[Silence]] = defaultdict(list)
        self._patterned: dict[str, dict[str, dict[Matcher, list[Silence]]]] = {}
        self._file(kept)
        self._lengths = {name: set(map(len, beginnings)) for name, beginnings in self._patterned.items()}
        self._names = {name for name, _ in self._valued} | self._patterned.keys()
        self._known: dict[tuple[str, str], Sequence[Silence]] = {}
        self._moments = sorted({moment for one in kept for moment in (one.starts_at, one.ends_at)})

    def _file(self, silences: Sequence[Silence]) -> None:
        """Each silence under the matcher that promises the fewest others beside it."""
        named = [[(one, _values(one)) for one in silence.matchers] for silence in silences]
        sharing = Counter((one.name, value) for row in named for one, values in row for value in values)
        for silence, row in zip(silences, named, strict=True):
            crowds = [(max(sharing[one.name, value] for value in v), one.name, v) for one, v in row if v]
            patterns = [one for one, values in row if not values and not one.matches({})]
            if patterns and (not crowds or min(crowds)[0] > self._crowd):
                one = max(patterns, key=lambda pattern: len(_beginning(pattern)))
                beginnings = self._patterned.setdefault(one.name, {})
                beginnings.setdefault(_beginning(one), {}).setdefault(one, []).append(silence)
            elif crowds:
                _, name, values = min(crowds)
                for value in values:
                    self._valued[name, value].append(silence)
            else:
                self._always.append(silence)

    def matching(self, labels: Mapping[str, str], now: int) -> tuple[Silence, ...]:
        """The active silences that the alert meets; the one that lasts longest first."""
        found = [
            silence
            for silence in self._candidates(labels)
            if silence.starts_at <= now < silence.ends_at and matches_all(silence.matchers, labels)
        ]
        if len(found) > 1:
            found.sort(key=lambda silence: (-silence.ends_at, silence.id))
        return tuple(found)

    def _candidates(self, labels: Mapping[str, str]) -> Iterator[Silence]:
        yield from self._always
        for name, value in labels.items():
            if name not in self._names or not value:
                continue
            if name in self._patterned:
                yield from self._fitting(name, value)
            elif (name, value) in self._valued:
                yield from self._valued[name, value]

    def _fitting(self, name: str, value: str) -> Sequence[Silence]:
        """What is filed under this value, and under a pattern that it fits."""
        if (known := self._known.get((name, value))) is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            alone = {name: value}
            known = [*self._valued.get((name, value), ())]
            beginnings = self._patterned[name]
            for beginning in {value[:length] for length in self._lengths[name]}:
                for pattern, silences in beginnings.get(beginning, {}).items():
                    if pattern.matches(alone):
                        known += silences
            self._known[name, value] = known
        return known

    def find(self, identity: str) -> Silence | None:
        """The silence with this id, whatever its state."""
        return self._by_id.get(identity)

    def next_change(self, now: int) -> int | None:
        """The first moment after `now` at which one starts or ends; None where none ever will."""
        place = bisect_right(self._moments, now)
        return self._moments[place] if place < len(self._moments) else None


def _values(matcher: Matcher) -> tuple[str, ...]:
    """The only values that meet the matcher, none of them empty; () where they cannot be listed."""
    if matcher.op == "=":
        return (matcher.value,) if matcher.value else ()
    if matcher.op != "=~":
        return ()
    words = re.split(r"(?<!\\)\|", matcher.value, maxsplit=_WORDS)
    if len(words) > _WORDS or not all(_PLAIN.fullmatch(word) for word in words):
        return ()
    return tuple(dict.fromkeys(re.sub(r"\\(.)", r"\1", word) for word in words))


def _beginning(matcher: Matcher) -> str:
    """How every value begins that meets the matcher, as far as that is plain to see."""
    if matcher.op != "=~" or "|" in matcher.value:
        return ""
    plain = _BEGINNING.match(matcher.value)  # without a character that may be repeated or left out
    return plain.group() if plain else ""
