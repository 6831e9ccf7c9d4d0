"""Label sets in words, by as few labels as may be: `severity=high, team=db|web`.

`name!=a|b` takes in alerts without the label; `name=<any but a|b>` does not. Values that only stand for
others are said by the expressions that tell them apart, `service=~"api-.*", service!~"api-[0-9]+"`.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Final

from gateway.simulation.label_sets import UNKNOWN
from routing.matchers import Matcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.simulation.diagram import Cube, Diagram
    from gateway.simulation.label_values import LabelValues

MAX_VALUES: Final = 8  # of one label that are named
MAX_TRIED: Final = 60  # expressions of which two are tried together

_PLAIN: Final = re.compile(r"[^\s\"'=,|<>{}]+|<[a-z ]+>|<(?:like|counts as|another word for) \S+>")


def described(diagram: Diagram, answer: int) -> tuple[str, ...]:
    """Which label sets have an answer, one line for each way to say some of them; the simplest first."""
    lines = {_cube(diagram, cube): len(cube) for cube in diagram.cubes(answer, UNKNOWN)}
    return tuple(sorted(lines, key=lambda line: (lines[line], len(line), line)))


def _cube(diagram: Diagram, cube: Cube) -> str:
    """`severity=high, team=db`; "" for all label sets."""
    named = [(diagram.labels[label], mask) for label, mask in cube.items()]
    named.sort(key=lambda one: (one[0].name != "alertname", one[0].name))
    return ", ".join(condition(values, mask) for values, mask in named)


def condition(values: LabelValues, mask: int) -> str:
    """The values of a mask, in words."""
    name, outside = values.name, values.every & ~mask
    here, there = _shown(values, mask), _shown(values, outside)
    if None not in here and (None in there or len(here) <= len(there)):
        return f"no {name}" if here == [""] else f"{name}={_listed(here)}"
    if None not in there:
        if "" not in there:
            return f"{name}!={_listed(there)}"
        rest = [word for word in there if word]
        return f"{name}=<any but {_listed(rest)}>" if rest else f"{name}=<any>"
    return _by_matchers(values, mask) or f"{name}={_listed(_likenesses(values, mask))}"


def _shown(values: LabelValues, mask: int) -> list[str | None]:
    return [word for at, word in enumerate(values.shown) if mask >> at & 1]


def _likenesses(values: LabelValues, mask: int) -> list[str]:
    """As `_shown`, but for what only stands for others."""
    found = ((at, text) for at, text in enumerate(values.texts) if mask >> at & 1)
    return [values.shown[at] or (f"<like {text}>" if text else "<others>") for at, text in found]


def _by_matchers(values: LabelValues, mask: int) -> str:
    """The expression that just these values meet, or two of them together; "" if there are none."""
    signed: list[tuple[Matcher, int]] = []
    for one, of in values.masks.items():
        if one.op in ("=~", "!~"):
            opposite = Matcher(one.name, "!~" if one.op == "=~" else "=~", one.value)
            signed += [(one, of), (opposite, values.every & ~of)]
    signed.sort(key=lambda one: one[0].op == "!~")
    found = next((str(one) for one, of in signed if of == mask), "")
    if found or len(signed) > MAX_TRIED:
        return found
    pairs = combinations(signed, 2)
    return next((f"{one}, {other}" for (one, of), (other, and_of) in pairs if of & and_of == mask), "")


def _listed(words: Sequence[str | None]) -> str:
    """`a|b`, of many the first."""
    quoted = [_quoted(word or "") for word in words]
    if len(quoted) > MAX_VALUES:
        quoted = [*quoted[: MAX_VALUES - 1], f"... {len(quoted) - MAX_VALUES + 1} more"]
    return "|".join(quoted)


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
