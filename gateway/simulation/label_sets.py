"""Which alerts matter for what a change of the configuration does: one label set for each way to treat them.

Both configurations are asked about all alerts at once: label by label, what is left to decide is worked out
for each value that makes a difference, equal things that are left are looked at once, and where the same is
left in both configurations there is nothing more to compare. So there are as many cases as there are pairs of
treatments that differ, and not as many as there are combinations of values.

The promise: every alert is treated alike by both configurations, or there is a case that each of them treats
as it treats that alert. It holds where matchers list values (`=`, `!=`, `=~"a|b"`); for the regular
expressions in `Derived.sampled` the cases are samples, and where `Derived.most` is given, alerts with more
labels than that were not looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.simulation.diagram import Diagram
from gateway.simulation.label_values import Effort, LabelValues, values_of
from gateway.simulation.question import FALSE, Question
from gateway.simulation.remaining import Compiler, Remaining
from gateway.simulation.treatments import Numbers, Treatments
from routing.severity import LABEL as SEVERITY
from routing.teams import LABEL as TEAM
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.compile import Plan
    from gateway.simulation.treatments import Treatment
    from routing.inhibition import Rule
    from routing.matchers import Matcher

SAME: Final = -1
"""The answer for alerts that both configurations treat alike."""
UNKNOWN: Final = -2
"""The answer for alerts that were not looked at."""
MAX_WORK: Final = 2_000_000
MAX_CASES: Final = 10_000
_NODE: Final = 20  # the work of a node beside that for its routes


@dataclass(frozen=True)
class Case:
    """Alerts that are treated alike by each of the configurations.

    Attributes:
        labels: one of them.
        old, new: what is done with them.
        rules: the inhibition rules, of those that only one configuration has, that could inhibit them, by
            their places in `Derived.rules`.
    """

    labels: Mapping[str, str]
    old: Treatment
    new: Treatment
    rules: tuple[int, ...]


@dataclass(frozen=True)
class ChangedRule:
    """An inhibition rule that only one of the configurations has."""

    rule: Rule
    new: bool


@dataclass(frozen=True)
class Derived:
    """The cases, by their answers in the diagram.

    Attributes:
        sampled: regular expressions that were not fully compared.
        most: how many of the labels that matter alerts have at most, of those that were looked at; None: any
            number.
    """

    diagram: Diagram
    cases: Mapping[int, Case]
    rules: tuple[ChangedRule, ...]
    sampled: tuple[Matcher, ...]
    most: int | None


def derive(
    old: Plan, new: Plan, occurring: Iterable[Mapping[str, str]] = (), *, work: int = MAX_WORK
) -> Derived:
    """The label sets that matter for the difference of two configurations.

    `occurring` are label sets that are known to occur; only the values of their labels count here. `work`
    bounds the time: one is about 1 to 2 µs.
    """
    numbers = Numbers()
    sides = (Treatments(old, numbers), Treatments(new, numbers))
    rules = tuple(_changed_rules(old, new))
    labels = _labels(sides, rules, occurring)
    question = Question(labels)
    compilers = [Compiler(side, question) for side in sides]
    targets = question.conjunctions(one.rule.target for one in rules)
    found = _looked_at(labels, question, compilers, targets, work)
    examples = found.diagram.examples()
    cases = {
        answer: Case(examples[answer], *what) for what, answer in found.answers.items() if answer in examples
    }
    sampled = tuple(one for values in labels for one in values.sampled)
    return Derived(found.diagram, cases, rules, sampled, found.most)


def _looked_at(
    labels: Sequence[LabelValues],
    question: Question,
    compilers: Sequence[Compiler],
    targets: Sequence[int],
    work: int,
) -> _Work:
    """All alerts; where those are too many, those with one label that matters, two, as long as it goes."""
    starts = (compilers[0].start(), compilers[1].start())
    held = tuple((number, one) for number, one in enumerate(targets) if one != FALSE)
    best = _Work(labels, question, compilers, question.work + work, None)
    try:
        best.diagram.root = best.build(*starts, held, 0, len(labels))
    except _Enough:
        until = question.work + work
        for most in range(len(labels)):
            found = _Work(labels, question, compilers, until, most)
            try:
                found.diagram.root = found.build(*starts, held, 0, most)
            except _Enough:
                break
            best = found
    return best


def _changed_rules(old: Plan, new: Plan) -> Iterable[ChangedRule]:
    for one, other, is_new in ((old, new, False), (new, old, True)):
        known = {rule.key for rule in other.inhibition.rules}
        live = {rule.key: rule for rule in one.inhibition.rules if set(rule.source) != set(rule.target)}
        yield from (ChangedRule(rule, is_new) for key, rule in live.items() if key not in known)


def _labels(
    sides: Sequence[Treatments], rules: Sequence[ChangedRule], occurring: Iterable[Mapping[str, str]]
) -> list[LabelValues]:
    """The labels that can make a difference, those first that what differs asks for."""
    counted: Counter[str] = Counter()
    matchers: dict[str, dict[Matcher, None]] = {SEVERITY: {}, TEAM: {}}
    for side in sides:
        for matcher in (one for row in Compiler.asked(side) for one in row):
            matchers.setdefault(matcher.name, {})[matcher] = None
            counted[matcher.name] += 1
    for matcher in (one for changed in rules for one in changed.rule.target):
        matchers.setdefault(matcher.name, {})[matcher] = None
    matchers.pop("", None)
    for side in sides:
        matchers.setdefault(side.plan.severities.label, {})
    first = _first(sides)
    seen: dict[str, dict[str, None]] = {}
    for labels in occurring:
        for name in labels.keys() & matchers.keys():
            seen.setdefault(name, {})[labels[name]] = None
    effort = Effort()
    return [
        _values(name, matchers[name], sides, seen.get(name, ()), effort)
        for name in sorted(matchers, key=lambda name: (-first[name], -counted[name], name))
    ]


def _first(sides: Sequence[Treatments]) -> Counter[str]:
    """How often labels are asked for by routes that are not the same in both configurations."""
    known = [
        {(route.key, side.general(route), route.matchers, route.continue_) for route in walk(side.plan.root)}
        for side in sides
    ]
    return Counter(matcher.name for _, _, matchers, _ in known[0] ^ known[1] for matcher in matchers)


def _values(
    name: str,
    matchers: Iterable[Matcher],
    sides: Sequence[Treatments],
    occurring: Iterable[str],
    effort: Effort,
) -> LabelValues:
    ranked = [side.plan.severities for side in sides if side.plan.severities.label == name]
    words = dict.fromkeys(word for one in ranked for word in (*one.names, *one.aliases))

    def word(value: str) -> tuple[int, ...]:
        return tuple(one.rank({name: value}) for one in ranked)

    return values_of(name, matchers, words=tuple(words), word=word, more=occurring, effort=effort)


class _Enough(Exception):  # noqa: N818 - it is no error
    """The work that was allowed is done."""


class _Work:
    """The diagram in the making."""

    def __init__(
        self,
        labels: Sequence[LabelValues],
        question: Question,
        compilers: Sequence[Compiler],
        until: int,
        most: int | None,
    ) -> None:
        self.diagram = Diagram(labels, root=UNKNOWN)
        self.answers: dict[tuple[Treatment, Treatment, tuple[int, ...]], int] = {}
        self.most = most
        self._question = question
        self._old, self._new = compilers
        self._until = until
        self._made: dict[tuple[Remaining, Remaining, _Held, int], int] = {}

    def build(self, old: Remaining, new: Remaining, held: _Held, label: int, more: int) -> int:
        """The node or the answer for what is left to decide from a label on.

        `more`: so many more labels may have a value that somebody asks for.
        """
        if old == new and not held:
            return SAME
        if label == len(self.diagram.labels):
            return self._answer(old, new, held)
        key = (old, new, held, more)
        if key in self._made:
            return self._made[key]
        self._question.work += _NODE
        if self._question.work > self._until or len(self.answers) > MAX_CASES:
            raise _Enough
        if not more:
            return self._with_no_others(old, new, held, label)
        values = self.diagram.labels[label]
        asked = self._old.asks(old, label) | self._new.asks(new, label)
        asked |= {self._question.mask(one, label) for _, one in held}
        missing = values.place("")
        answers: dict[int, int] = {}
        for mask in self._alike(asked, label):
            usual = missing is not None and bool(mask >> missing & 1)
            place = (mask & -mask).bit_length() - 1
            to = self.build(
                self._old.given(old, label, place),
                self._new.given(new, label, place),
                self._question.given_each(held, label, place),
                label + 1,
                more if usual else more - 1,
            )
            answers[to] = answers.get(to, 0) | mask
        self._made[key] = made = self.diagram.node(label, answers)
        return made

    def _with_no_others(self, old: Remaining, new: Remaining, held: _Held, label: int) -> int:
        """What is left to decide of alerts that have none of the labels from this one on."""
        labels = self.diagram.labels
        places = [values.place("") or 0 for values in labels]
        held = tuple((at, one) for at, one in held if self._question.met(one, places))
        at = self._answer(self._old.given_all(old, places), self._new.given_all(new, places), held)
        for place in reversed(range(label, len(labels))):
            missing = 1 << places[place]
            at = self.diagram.node(
                place,
                {at: missing, UNKNOWN: labels[place].every & ~missing}
                if labels[place].every != missing
                else {at: missing},
            )
        return at

    def _alike(self, masks: Iterable[int], label: int) -> Iterable[int]:
        """The values of a label, in sets that none of the masks tells apart."""
        every = self.diagram.labels[label].every
        parts = [every]
        single = 0  # most masks are those of one value
        for mask in masks:
            if (one := _only(mask)) or (one := _only(every & ~mask)):
                single |= one
                continue
            parts = [part for one in parts for part in (one & mask, one & ~mask) if part]
        for part in parts:
            if rest := part & ~single:
                yield rest
            yield from _bits(part & single)

    def _answer(self, old: Remaining, new: Remaining, held: _Held) -> int:
        what = (self._old.treatment(old), self._new.treatment(new), tuple(number for number, _ in held))
        if what[0] == what[1] and not held:
            return SAME
        return self.answers.setdefault(what, UNKNOWN - 1 - len(self.answers))


_Held = tuple[tuple[int, int], ...]


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


def _only(mask: int) -> int:
    """The mask if it is of one value, else 0."""
    return mask if mask & (mask - 1) == 0 else 0
