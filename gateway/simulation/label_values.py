"""Which values of one label some matchers tell apart: one value for each way in which they can answer.

Where matchers list values (`=`, `!=`, `=~"a|b"`), the values are complete: whatever value an alert has, every
matcher answers it as one of these. Other regular expressions are compared with each other as
`routing/satisfiable.py` does it; of those for which that takes too long the values are samples, and
`sampled` says which they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import re2

from routing.at_once import Conditions
from routing.matchers import Matcher, compile_regex
from routing.regex_tree import samples
from routing.satisfiable import UNDECIDED, find, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MAX_CELLS: Final = 2_048  # ways in which expressions of one label can answer together
STEPS: Final = 500  # of one comparison of expressions
MAX_ASKED: Final = 4_000  # comparisons for one difference; most take less than 100 µs
MAX_UNDECIDED: Final = 40  # those that took too long; one takes up to 10 ms
_TRIES: Final = 8  # values that are passed over because they are listed

_LAST: Final = b"\xff"  # after every text in UTF-8
_OTHERS: Final = ("other", "another", "something else")


@dataclass(slots=True)
class Effort:
    """How much more may be asked about regular expressions."""

    asked: int = MAX_ASKED
    undecided: int = MAX_UNDECIDED

    @property
    def spent(self) -> bool:
        """No more is asked."""
        return self.asked <= 0 or self.undecided <= 0

    def find(self, matchers: Iterable[Matcher], name: str) -> tuple[bool, str | None]:
        """(whether it is known, a value that meets all matchers, None for none)."""
        if self.spent:
            return False, None
        self.asked -= 1
        answer = find(matchers, steps=STEPS)
        if answer == UNDECIDED:
            self.undecided -= 1
            return False, None
        return True, None if answer.labels is None else answer.labels.get(name, "")


@dataclass(frozen=True)
class LabelValues:
    """The values of one label that matter.

    Attributes:
        texts: one value for each way in which matchers and `word` answer; bit n of a mask is the n-th.
        masks: for each matcher the values that meet it.
        common: the values that some matcher, or a caller, names; others only stand for what has no name.
        shown: each value as people read it; None where it only stands for others of its kind.
        sampled: regular expressions of which there may be further values that nobody stands for.
    """

    name: str
    texts: tuple[str, ...]
    masks: Mapping[Matcher, int]
    common: frozenset[str]
    shown: tuple[str | None, ...]
    sampled: tuple[Matcher, ...]
    _conditions: Conditions = field(repr=False)
    _word: Callable[[str], object] = field(repr=False)
    _places: Mapping[tuple[int, object], int] = field(repr=False)

    @property
    def every(self) -> int:
        """The mask of all values."""
        return (1 << len(self.texts)) - 1

    def place(self, value: str) -> int | None:
        """Which of `texts` stands for a value; None if none does, which only samples allow."""
        return self._places.get((self._conditions.mask({self.name: value}), self._word(value)))


def values_of(
    name: str,
    matchers: Iterable[Matcher],
    *,
    words: Sequence[str] = (),
    word: Callable[[str], object] = lambda _: None,
    more: Iterable[str] = (),
    effort: Effort | None = None,
) -> LabelValues:
    """The values of the label `name` that its `matchers` tell apart, and for which `word` differs.

    `words` are the texts, in lower case, whose spelling in capitals does not matter to `word`. `more` are
    values that are known to occur: they make samples better.
    """
    asked = tuple(dict.fromkeys(matchers))
    conditions = Conditions([[one] for one in asked])
    written = dict.fromkeys(value for one in asked for value in _listed(one) or ())
    spelled = [text for one in words for text in _spelled(one, written)]
    patterns = [one for one in asked if _listed(one) is None]
    named = (*written, *spelled, *more)
    sampled: list[Matcher] = []
    unnamed = list(_unnamed(name, patterns, {*written, *words}, sampled, effort or Effort()))
    if patterns and words:
        sampled = patterns  # spellings of words are not compared with expressions
    places: dict[tuple[int, object], int] = {}
    texts: list[str] = []
    for value in (*named, *unnamed, ""):
        key = (conditions.mask({name: value}), word(value))
        if key not in places:
            places[key] = len(texts)
            texts.append(value)
        elif not value and texts[places[key]] not in named:
            texts[places[key]] = ""  # what no matcher tells from a missing label is missing
    nameless = {places[conditions.mask({name: value}), word(value)] for value in unnamed}
    shown = tuple(_shown(text, named, words, nameless=at in nameless) for at, text in enumerate(texts))
    masks = dict.fromkeys(asked, 0)
    for key, at in places.items():
        for one, met in zip(asked, conditions.met(key[0]), strict=True):
            masks[one] |= met << at
    return LabelValues(
        name, tuple(texts), masks, frozenset(named) - {""}, shown, tuple(sampled), conditions, word, places
    )


def _shown(text: str, named: Sequence[str], words: Sequence[str], *, nameless: bool) -> str | None:
    """A value as people read it; None where it only stands for others. `nameless`: it does so, too."""
    word = text.lower()
    if word in words and text in named:
        if nameless:
            return f"<counts as {word}>"
        return text if text == word else f"<another word for {word}>"
    return None if nameless or (text and text not in named) else text


def _listed(matcher: Matcher) -> tuple[str, ...] | None:
    """The values that decide what the matcher says; None where it is an expression."""
    if matcher.op in ("=", "!="):
        return (matcher.value,)
    return listed(Matcher(matcher.name, "=~", matcher.value))


def _spelled(word: str, taken: Mapping[str, object]) -> Iterator[str]:
    """The word itself, and a spelling of it that no matcher lists."""
    yield word
    for text in (word.capitalize(), word.upper(), *_capitals(word)):
        if text not in taken and text.lower() == word:
            yield text
            return


def _capitals(word: str) -> Iterator[str]:
    for at in range(1, min(1 << len(word), 4_096)):
        yield "".join(char.upper() if at >> place & 1 else char for place, char in enumerate(word))


def _unnamed(
    name: str, patterns: Sequence[Matcher], taken: set[str], sampled: list[Matcher], effort: Effort
) -> Iterator[str]:
    """A value that nobody lists for each way in which the expressions can answer; adds to `sampled`."""
    other = next(one for one in _others() if one not in taken)
    yield other
    cells = [_Cell((), other, b"", _LAST)]
    for pattern in dict.fromkeys(one.value for one in patterns):
        yield from (text for text in samples(pattern) if text not in taken)
        found, certain = _split(name, cells, pattern, taken, effort)
        if not certain or len(found) > MAX_CELLS:
            sampled += [one for one in patterns if one.value == pattern]
            found = found[:MAX_CELLS]
        cells = found
    yield from (cell.value for cell in cells)


class _Cell(NamedTuple):
    """A way in which expressions can answer: what they say, a value, and between which texts all such are."""

    signs: tuple[Matcher, ...]
    value: str
    low: bytes
    high: bytes


def _split(
    name: str, cells: Iterable[_Cell], pattern: str, taken: set[str], effort: Effort
) -> tuple[list[_Cell], bool]:
    """Each cell with and without what meets the pattern, and whether none is forgotten for certain."""
    found = []
    certain = True
    met, missed = Matcher(name, "=~", pattern), Matcher(name, "!~", pattern)
    low, high = _range(pattern)
    for cell in cells:
        least, greatest = max(low, cell.low), min(high, cell.high)
        if least > greatest:  # none of them can meet it, as the first characters tell
            found.append(cell)
            continue
        with_it = _Cell((*cell.signs, met), cell.value, least, greatest)
        without = cell._replace(signs=(*cell.signs, missed))
        here, there = (with_it, without) if met.matches({name: cell.value}) else (without, with_it)
        found.append(here)
        known, value = _free(name, _telling(there), taken, effort)
        certain = certain and known
        if value is not None:
            found.append(there._replace(value=value))
    return found, certain


def _telling(cell: _Cell) -> tuple[Matcher, ...]:
    """What has to be asked of a value between the cell's bounds: the rest is missed by all of them."""
    return tuple(
        one
        for one in cell.signs
        if one.op == "=~" or (cell.low <= _range(one.value)[1] and _range(one.value)[0] <= cell.high)
    )


@lru_cache(maxsize=16_384)
def _range(pattern: str) -> tuple[bytes, bytes]:
    """Texts, in UTF-8, between which all are that the expression can match."""
    try:
        low, high = compile_regex(pattern).possiblematchrange(64)
    except re2.error:  # it sees no bounds
        return b"", _LAST
    return low, high


def _free(
    name: str, matchers: tuple[Matcher, ...], taken: set[str], effort: Effort
) -> tuple[bool, str | None]:
    """As `Effort.find`, but no value that is listed."""
    avoided: tuple[Matcher, ...] = ()
    for _ in range(_TRIES):
        known, value = effort.find((*matchers, *avoided), name)
        if value is None or value not in taken:
            return known, value
        avoided = (*avoided, Matcher(name, "!=", value))
    return False, None


def _others() -> Iterator[str]:
    yield from _OTHERS
    number = 0
    while True:
        number += 1
        yield f"other {number}"
