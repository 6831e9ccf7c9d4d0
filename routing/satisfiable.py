"""Whether some alert could meet matchers, and what follows from them: conditions judged without alerts.

The labels of an alert are independent of each other, so matchers can all hold if those of each label can.
Values that are written out are tried; expressions are compared by `regular.py`. An answer is either proved,
by an example or by the lack of any, or it is undecided, and nothing may be concluded from it.

Rules: those of `matchers.py`: a missing label is an empty one, an expression matches the whole value.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING, Final, NamedTuple

from routing.matchers import Matcher, matches_all
from routing.regex_tree import needed, samples
from routing.regular import MAX_STEPS, Undecided, automaton, common, exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.matchers import Operator
    from routing.regular import Automaton

MAX_TRIES: Final = 300  # examples that are looked for to answer one question

_OPPOSITE: Final[dict[Operator, Operator]] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_PLAIN: Final = r"(?:[^\\.+*?()|\[\]{}^$]|\\[^A-Za-z0-9])*"
_VALUES: Final = re.compile(rf"(?:\^?\((?:\?:)?)?({_PLAIN}(?:\|{_PLAIN})*)(?:\)\$?)?", re.DOTALL)
_PARTS: Final = re.compile(rf"(?:^|\|)({_PLAIN})", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_GUESSES: Final = ("", "x", "other", "1")
_IN_A_ROW: Final = 3


class Answer(NamedTuple):
    """Whether there is a label set as asked for.

    Attributes:
        labels: one that is, if one was found. A label that is not in it is missing.
        never: it is proved that there is none.
        because: where there is none: positions of those to be avoided that take them all; empty where the
            conditions alone can never be met.
    """

    labels: dict[str, str] | None = None
    never: bool = False
    because: tuple[int, ...] = ()


UNDECIDED: Final = Answer()


def find(
    meeting: Iterable[Matcher], avoiding: Sequence[Iterable[Matcher]] = (), *, steps: int = MAX_STEPS
) -> Answer:
    """A label set that meets all of `meeting`, and of each of `avoiding` at least one not.

    `steps` bounds each comparison of expressions (`regular.common`).
    """
    search = _Search([tuple(one) for one in avoiding], steps)
    try:
        labels = search.find(_by_label(meeting))
    except Undecided:
        return UNDECIDED
    if labels is None:
        return Answer(never=True, because=tuple(sorted(search.used)))
    return Answer({name: value for name, value in labels.items() if value})


def can_hold(matchers: Iterable[Matcher]) -> bool:
    """Whether some label set may meet all of them; False only where it is certain that none does."""
    return not find(matchers).never


def implies(matchers: Iterable[Matcher], others: Iterable[Matcher]) -> bool:
    """Whether it is certain that every label set that meets `matchers` meets all of `others`."""
    return find(matchers, [tuple(others)]).never


def clash(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """The matchers of one label that no value can meet together; empty where there are none for certain."""
    for name, together in _by_label(matchers).items():
        try:
            if _value(name, together) is None:
                return tuple(sorted(together, key=str))
        except Undecided:
            continue
    return ()


_Conditions = dict[str, frozenset[Matcher]]


class _Search:
    """Looks for an example; where it is one to be avoided, goes on with each way in which it could not be."""

    def __init__(self, avoiding: Sequence[tuple[Matcher, ...]], steps: int) -> None:
        self.avoiding = avoiding
        self.steps = steps
        self.used: set[int] = set()
        self.tries = 0

    def find(self, conditions: _Conditions) -> dict[str, str] | None:
        self.tries += 1
        if self.tries > MAX_TRIES:
            raise Undecided
        labels: dict[str, str] = {}
        doubt = False
        for name, matchers in conditions.items():
            try:
                value = _value(name, matchers, self.steps)
            except Undecided:
                doubt = True
                continue
            if value is None:
                return None
            labels[name] = value
        if doubt:
            raise Undecided
        for at, avoided in enumerate(self.avoiding):
            if _may_match(avoided, labels) and matches_all(avoided, labels):
                return self._around(at, avoided, conditions)
        return labels

    def _around(
        self, at: int, matchers: tuple[Matcher, ...], conditions: _Conditions
    ) -> dict[str, str] | None:
        self.used.add(at)
        doubt = False
        for matcher in matchers:
            opposite = Matcher(matcher.name, _OPPOSITE[matcher.op], matcher.value)
            narrower = conditions.get(matcher.name, frozenset()) | {opposite}
            try:
                labels = self.find({**conditions, matcher.name: narrower})
            except Undecided:
                doubt = True
                continue
            if labels is not None:
                return labels
        if doubt:
            raise Undecided
        return None


def _may_match(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether each expression finds a text that it needs: quicker than to ask it."""
    for matcher in matchers:
        if matcher.op == "=~" and (texts := needed(matcher.value)):
            value = labels.get(matcher.name, "")
            for text in texts:
                if text in value:
                    break
            else:
                return False
    return True


def _by_label(matchers: Iterable[Matcher]) -> _Conditions:
    found: dict[str, set[Matcher]] = {}
    for matcher in matchers:
        found.setdefault(matcher.name, set()).add(matcher)
    return {name: frozenset(together) for name, together in found.items()}


def _value(name: str, matchers: frozenset[Matcher], steps: int = MAX_STEPS) -> str | None:
    """A value of the label that meets all matchers, all of them its own; None if there is none.

    Raises:
        Undecided: there may be one, or not.
    """
    decided, value = _solved(name, matchers, steps)
    if not decided:
        raise Undecided
    return value


@lru_cache(maxsize=65_536)
def _solved(name: str, matchers: frozenset[Matcher], steps: int) -> tuple[bool, str | None]:
    """(whether it is decided, as `_value`)."""
    lists = [values for matcher in matchers if (values := listed(matcher)) is not None]
    for value in min(lists, key=len) if lists else _guesses(matchers):
        if matches_all(matchers, {name: value}):
            return True, value
    if lists:
        return True, None
    matching: list[Automaton] = []
    missing: list[Automaton] = []
    for matcher in sorted(matchers, key=str):
        one = exactly(matcher.value) if matcher.op == "!=" else automaton(matcher.value)
        if one is not None:  # what is not understood can only make less possible
            (matching if matcher.op == "=~" else missing).append(one)
    try:
        found = common(matching, missing, steps)
    except Undecided:
        return False, None
    if found is None:
        return True, None
    return matches_all(matchers, {name: found}), found


def _guesses(matchers: frozenset[Matcher]) -> tuple[str, ...]:
    """Values to try before expressions are compared: what each matches, and all of that in a row."""
    each = [texts for one in matchers if one.op == "=~" and (texts := samples(one.value))]
    if not each:
        return _GUESSES
    rows = permutations([texts[0] for texts in each]) if len(each) <= _IN_A_ROW else ()
    return (*(text for texts in each for text in texts), *map("".join, rows))


@lru_cache(maxsize=16_384)
def listed(matcher: Matcher) -> tuple[str, ...] | None:
    """The values that a matcher lists: `="a"`, `=~"a|b"`; None if it does not."""
    if matcher.op == "=":
        return (matcher.value,)
    if matcher.op == "=~" and (plain := _VALUES.fullmatch(matcher.value)):
        return tuple(dict.fromkeys(_ESCAPE.sub(r"\1", part) for part in _PARTS.findall(plain[1])))
    return None
