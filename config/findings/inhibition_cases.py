"""Alerts that inhibition rules would act upon: examples, or the proof that there are none.

A rule speaks of two alerts at once, its source and its target, and ties some of their labels together. So
each label of each alert becomes a variable, tied ones the same, and `routing/satisfiable.py` is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.matchers import Matcher
from routing.satisfiable import Answer, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routing.inhibition import Rule

_Variable = tuple[int, str]  # which alert, which label


def chain(rules: Sequence[Rule], *, closed: bool = False, two_sided: bool = True) -> Case:
    """Alerts of which each inhibits the next through the rules in turn; `closed`: the last one the first.

    Without `two_sided` the exception for alerts that meet both sides of a rule is not made.
    """
    count = len(rules) if closed else len(rules) + 1
    case = Case([(at, (at + 1) % count, rule) for at, rule in enumerate(rules)], count)
    meeting, avoiding = [], []
    for source, target, rule in case.steps:
        meeting += [*case.of(source, rule.source), *case.of(target, rule.target)]
        if two_sided:
            avoiding.append([*case.of(target, rule.source), *case.of(source, rule.target)])
    case.answer = find(meeting, avoiding)
    return case


def covers(wide: Rule, narrow: Rule) -> bool:
    """Whether it is certain that `wide` inhibits whatever `narrow` does, because of the same source."""
    if not set(wide.equal) <= set(narrow.equal):
        return False
    case = Case([(0, 1, narrow)], 2)
    meeting = [*case.of(0, narrow.source), *case.of(1, narrow.target)]
    except_both = [*case.of(1, narrow.source), *case.of(0, narrow.target)]
    within = find(meeting, [except_both, [*case.of(0, wide.source), *case.of(1, wide.target)]])
    both = find([*meeting, *case.of(1, wide.source), *case.of(0, wide.target)], [except_both])
    return within.never and both.never


class Case:
    """Alerts 0 to `count - 1`, tied by the `equal` labels of the rules between them; and what was found."""

    def __init__(self, steps: Sequence[tuple[int, int, Rule]], count: int) -> None:
        self.steps = steps
        self.count = count
        self.answer = Answer()
        self._tied: dict[_Variable, _Variable] = {}
        for source, target, rule in steps:
            for label in rule.equal:
                one, other = self._first((source, label)), self._first((target, label))
                self._tied[max(one, other)] = min(one, other)

    def of(self, alert: int, matchers: Iterable[Matcher]) -> list[Matcher]:
        """The matchers as conditions of one of the alerts."""
        return [Matcher(self._name(alert, one.name), one.op, one.value) for one in matchers]

    def alerts(self) -> list[dict[str, str]]:
        """The labels of each alert of the example that was found."""
        labels = self.answer.labels or {}
        names = sorted({name.partition(":")[2] for name in labels})
        return [
            {name: labels[variable] for name in names if (variable := self._name(alert, name)) in labels}
            for alert in range(self.count)
        ]

    def _name(self, alert: int, label: str) -> str:
        first, _ = self._first((alert, label))
        return f"{first}:{label}"

    def _first(self, variable: _Variable) -> _Variable:
        while (there := self._tied.get(variable, variable)) != variable:
            variable = there
        return variable
