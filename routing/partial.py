"""What is certain of alerts whose labels are known only in part: what a matcher says, where they go.

Prometheus' rules tell some labels of the alerts that they will make. Nothing is claimed here that one of
those alerts could disprove: an answer is yes, no, or None for "it depends on what is not known". Who knows
what of which labels is the caller's business.

Rules: as in `matchers.py` and `tree.py`; a missing label is an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from routing.at_once import Expressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.matchers import Matcher
    from routing.tree import Route


@dataclass(frozen=True, slots=True)
class Values:
    """What one label may hold.

    Attributes:
        only: every value that is possible, "" for not having the label; None if any is.
        present: it is there for certain, so "" is not possible.
    """

    only: frozenset[str] | None
    present: bool = False

    def __or__(self, other: Values) -> Values:
        """One or the other."""
        only = self.only | other.only if self.only is not None and other.only is not None else None
        return Values(only, self.present and other.present)

    def __and__(self, other: Values) -> Values:
        """Both are true of it."""
        present = self.present or other.present
        if self.only is None or other.only is None:
            only = self.only if other.only is None else other.only
        else:
            only = self.only & other.only
        return Values(only - {""} if only is not None and present else only, present)


def one(value: str) -> Values:
    """Exactly this value; "" is not having the label."""
    return Values(frozenset({value}), present=bool(value))


ANYTHING: Final = Values(None)
SOMETHING: Final = Values(None, present=True)
ABSENT: Final = one("")


@dataclass(frozen=True, slots=True)
class PartialLabels:
    """A label set as far as it is known.

    Attributes:
        known: what is known of some labels.
        more: it may have further labels, with any value; else it has none.
    """

    known: Mapping[str, Values] = field(default_factory=dict)
    more: bool = True

    def of(self, name: str) -> Values:
        """What is known of one label."""
        return self.known.get(name) or (ANYTHING if self.more else ABSENT)


@lru_cache(maxsize=65_536)
def fits(matcher: Matcher, values: Values) -> bool | None:
    """Whether a label with these values meets a condition."""
    if values.only is not None:
        answers = {matcher.matches({matcher.name: value}) for value in values.only}
        return answers.pop() if len(answers) == 1 else None
    negative = matcher.op in ("!=", "!~")
    if matcher.op in ("=~", "!~"):
        if matcher.value == ".*" or (matcher.value == ".+" and values.present):
            return not negative
        if matcher.value:
            return None
    if not matcher.value and values.present:
        return negative
    return None


def all_fit(matchers: Iterable[Matcher], labels: PartialLabels) -> bool | None:
    """Whether a label set meets every condition."""
    certain = True
    for matcher in matchers:
        answer = fits(matcher, labels.of(matcher.name))
        if answer is False:
            return False
        certain = certain and answer is True
    return True if certain else None


class PartialTree:
    """Where alerts go, as far as it is certain. What no matcher names makes no difference, and no work."""

    def __init__(self, root: Route) -> None:
        self._node = _Node(root, 0)

    def match(self, labels: PartialLabels) -> tuple[tuple[Route, bool], ...]:
        """Every route that may be told, and whether it is for certain, whatever is not known.

        Children stand before their parent, which is told where they all decline.
        """
        return self._node.match(labels)


class _Node:
    """A route made ready: its children by the value or the expression that they ask for; answers so far."""

    def __init__(self, route: Route, position: int) -> None:
        self.route = route
        self.position = position
        self.lookups: dict[str, dict[str, list[_Node]]] = {}  # label -> value -> children that ask for it
        self.asking: dict[str, dict[str, list[_Node]]] = {}  # label -> expression -> children that ask for it
        self.scanned: list[_Node] = []
        self.answers: dict[tuple[Values, ...], tuple[tuple[Route, bool], ...]] = {}
        names: set[str] = {matcher.name for child in route.children for matcher in child.matchers}
        for at, child in enumerate(route.children):
            node = _Node(child, at)
            names.update(node.names)
            exact = next((matcher for matcher in child.matchers if matcher.op == "="), None)
            regex = next((matcher for matcher in child.matchers if matcher.op == "=~"), None)
            if exact:
                self.lookups.setdefault(exact.name, {}).setdefault(exact.value, []).append(node)
            elif regex:
                self.asking.setdefault(regex.name, {}).setdefault(regex.value, []).append(node)
            else:
                self.scanned.append(node)
        self.expressions = {name: Expressions(asked) for name, asked in self.asking.items()}
        self.names: tuple[str, ...] = tuple(sorted(names))

    def match(self, labels: PartialLabels) -> tuple[tuple[Route, bool], ...]:
        key = tuple(map(labels.of, self.names))
        answer = self.answers.get(key)
        if answer is None:
            answer = self.answers[key] = tuple(self._match(labels))
        return answer

    def _match(self, labels: PartialLabels) -> Iterator[tuple[Route, bool]]:
        """The plain walk, but that a child which may match stops the search only perhaps."""
        asked = True  # the next child is asked for certain
        told: bool | None = False  # whether a child is; None: perhaps
        for child in self._candidates(labels):
            fit = all_fit(child.route.matchers, labels)
            if fit is False:
                continue
            for route, certain in child.match(labels):
                yield route, certain and asked and fit is True
            told = True if told or fit is True else None
            if not child.route.continue_:
                if fit is True:
                    break
                asked = False
        if told is not True:
            yield self.route, told is False

    def _candidates(self, labels: PartialLabels) -> Iterable[_Node]:
        found = list(self.scanned)
        for name, by_value in self.lookups.items():
            only = labels.of(name).only
            for value in by_value if only is None else only:
                found += by_value.get(value, ())
        for name, by_pattern in self.asking.items():
            only = labels.of(name).only
            met = (p for value in only for p in self.expressions[name].met_by(value)) if only else by_pattern
            for pattern in dict.fromkeys(met):
                found += by_pattern[pattern]
        return sorted(found, key=_position)


def _position(node: _Node) -> int:
    return node.position
