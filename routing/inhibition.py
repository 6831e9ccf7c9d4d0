"""Inhibition: while some alerts fire, others need not be told. The rules, and an alert's part in them.

This module compiles the rules and says under which *slots* an alert is filed as a source, and in which its
own sources are; so a check reads a few slots, however many alerts are open. It stores nothing: `judge.py`
decides by the sources that it is given, `circles.py` finds the rules that can make alerts silence each other.

Rules: Alertmanager's documentation, inhibition, and its version 0.29. A target is inhibited if it meets some
rule's target matchers and a firing alert meets the source matchers and has the same values of the `equal`
labels; a missing label is an empty one; without `equal` every source counts. A target that meets both sides
of a rule is not inhibited through it by an alert that does so too (nor, therefore, by itself). Rules are
asked in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from routing.at_once import Conditions
from routing.circles import find_circles
from routing.matchers import in_order, show
from routing.satisfiable import find
from routing.together import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Rule:
    """One inhibition rule; `key` is 16 hex digits of what it says, whatever its name and order of writing."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        source, target = show(in_order(set(self.source))), show(in_order(set(self.target)))
        object.__setattr__(self, "key", _digest((source, target, *sorted(set(self.equal)))))


@dataclass(frozen=True, slots=True)
class Slot:
    """Where sources of one rule with the same values of its `equal` labels are filed.

    Attributes:
        key: the rule's key and a hash of those values, `0123456789abcdef:fedcba9876543210`.
        rule: the rule's place in the configuration, from 0.
        two_sided: the alert meets both sides of the rule.
    """

    key: str
    rule: int
    two_sided: bool


@dataclass(frozen=True, slots=True)
class Roles:
    """An alert's part in the rules: where it is filed as a source, where its sources are; in rules' order."""

    sources: tuple[Slot, ...] = ()
    targets: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A firing alert, as it is filed.

    Attributes:
        alert: its `alert_key`, by which it is known from others.
        member: the text under which it is filed; nothing here reads it.
        rank: its severity, 0 the worst.
        starts_at: milliseconds since the epoch.
    """

    alert: str
    member: str
    rank: int
    starts_at: int
    labels: Mapping[str, str] = field(compare=False)

    @property
    def order(self) -> tuple[int, int, str]:
        """The worst first, then the oldest, then by alert key: what the guard releases first."""
        return self.rank, self.starts_at, self.alert


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the index: which sources of the one- or the two-sided kind are filed under a slot?

    Attributes:
        key: the slot's.
        limit: at most so many are answered, the first in `Source.order`.
    """

    key: str
    two_sided: bool
    limit: int


@dataclass(frozen=True, slots=True)
class Inhibited:
    """Not to be told: `rule` (its place, from 0) inhibits it, because of `source`."""

    rule: int
    source: Source


@dataclass(frozen=True, slots=True)
class Released:
    """Inhibited by the rules, and told all the same: the guard. `why` is a sentence for the timeline."""

    why: str


Verdict = Inhibited | Released


@dataclass(frozen=True, slots=True)
class _Sides:
    """Alerts that are alike to all matchers: their part in each rule, and which labels make their slots."""

    sources: tuple[tuple[int, bool], ...]  # (rule, two-sided)
    targets: tuple[tuple[int, bool], ...]
    equal: tuple[str, ...]
    answers: dict[tuple[str | None, ...], Roles] = field(default_factory=dict)


_NONE: Final = Roles()


class Rules:
    """Inhibition rules, compiled.

    The part that an alert has in them depends on the labels alone that matchers and `equal` name; answers are
    remembered by the values of those, at most `remember` of them. Rules that can never inhibit (both sides
    the same, or a repetition of an earlier rule) are passed over.

    Attributes:
        rules: as given; places in it are what `Slot.rule` and `Inhibited.rule` say.
        any: whether some rule can inhibit at all.
        circles: sets of rules, by their places, that can make alerts inhibit each other, each set by itself.
            Certain to hold every circle that alerts can form; it may hold some that no real alerts do.
        circle_of: for each rule the number of its set in `circles`, None for most.
        both: for each rule whether there may be alerts that meet both of its sides.
    """

    def __init__(self, rules: tuple[Rule, ...], *, remember: int = 50_000) -> None:
        self.rules = rules
        first = {rule.key: place for place, rule in reversed(list(enumerate(rules)))}
        self._live = [
            place for place in sorted(first.values()) if set(rules[place].source) != set(rules[place].target)
        ]
        self.any = bool(self._live)
        self._equal = [tuple(sorted(set(rule.equal))) for rule in rules]
        self._keys = [rule.key for rule in rules]
        self._conditions = Conditions(
            [side for at in self._live for side in (rules[at].source, rules[at].target)]
        )
        self._names = sorted({m.name for at in self._live for m in (*rules[at].source, *rules[at].target)})
        self._remember = remember
        self._remembered = 0
        self._sides: dict[tuple[str | None, ...], _Sides | None] = {}
        self._alike: dict[int, _Sides | None] = {}
        live = [(rules[at].source, rules[at].target, rules[at].equal) for at in self._live]
        self.circles = tuple(tuple(self._live[at] for at in circle) for circle in find_circles(live))
        of = {place: number for number, circle in enumerate(self.circles) for place in circle}
        self.circle_of = tuple(of.get(place) for place in range(len(rules)))
        self.both = tuple(not find((*one.source, *one.target), steps=STEPS).never for one in rules)

    def circles_from(self, roles: Roles) -> set[int | None]:
        """The sets of `circles` in which an alert of these roles is a source."""
        return {self.circle_of[slot.rule] for slot in roles.sources} - {None}

    def in_a_circle(self, labels: Mapping[str, str]) -> bool:
        """Whether the alert may be in a circle with others: a source and a target of one set of rules."""
        if not self.circles:
            return False
        roles = self.roles(labels)
        own = self.circles_from(roles)
        return any(self.circle_of[slot.rule] in own for slot in roles.targets)

    def called(self, place: int) -> str:
        """What people know a rule by: its name, else where it stands in the configuration."""
        return self.rules[place].name or f"inhibit_rules[{place}]"

    def roles(self, labels: Mapping[str, str]) -> Roles:
        """Where an alert is filed as a source, and where its sources are looked for."""
        key = tuple(map(labels.get, self._names))
        try:
            sides = self._sides[key]
        except KeyError:
            sides = self._sides_of(key, labels)
        if sides is None:
            return _NONE
        values = tuple(map(labels.get, sides.equal))
        roles = sides.answers.get(values)
        if roles is None:
            roles = sides.answers[values] = self._roles_of(sides, labels)
            self._count()
        return roles

    def _sides_of(self, key: tuple[str | None, ...], labels: Mapping[str, str]) -> _Sides | None:
        mask = self._conditions.mask(labels)
        try:
            sides = self._alike[mask]
        except KeyError:
            # Held here as well: what is remembered is dropped now and then, by a thread that simulates too.
            sides = self._alike[mask] = self._sides_at(mask)
            self._count()
        self._sides[key] = sides
        self._count()
        return sides

    def _sides_at(self, mask: int) -> _Sides | None:
        sources, targets = [], []
        equal: set[str] = set()
        met = self._conditions.met(mask)
        for at, place in enumerate(self._live):
            source, target = met[2 * at], met[2 * at + 1]
            if source:
                sources.append((place, target))
            if target:
                targets.append((place, source))
            if source or target:
                equal.update(self.rules[place].equal)
        return _Sides(tuple(sources), tuple(targets), tuple(sorted(equal))) if sources or targets else None

    def _roles_of(self, sides: _Sides, labels: Mapping[str, str]) -> Roles:
        def slot(place: int, two_sided: bool) -> Slot:  # noqa: FBT001 - as the pair is kept
            return _slot(
                self._keys[place], tuple(labels.get(n, "") for n in self._equal[place]), place, two_sided
            )

        return Roles(
            tuple(slot(*part) for part in sides.sources), tuple(slot(*part) for part in sides.targets)
        )

    def _count(self) -> None:
        self._remembered += 1
        if self._remembered > self._remember:
            self._remembered = 1
            self._sides.clear()
            self._alike.clear()


@lru_cache(maxsize=16_384)  # alerts share the values of most of their labels
def _slot(rule_key: str, values: tuple[str, ...], place: int, two_sided: bool) -> Slot:  # noqa: FBT001 - as above
    return Slot(f"{rule_key}:{_digest(values)}", place, two_sided)


def _digest(texts: tuple[str, ...]) -> str:
    """16 hex digits; texts keep their bounds, so that `a`, `bc` differs from `ab`, `c`."""
    encoded = [text.encode(errors="surrogatepass") for text in texts]
    joined = b"".join(b"%d:%s" % (len(text), text) for text in encoded)
    return blake2b(joined, digest_size=8).hexdigest()
