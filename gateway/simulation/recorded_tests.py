"""What happens -> what a test would have to expect, as data and as the text of a test file.

What is written so says what is, not what should be: whoever writes it marks it `recorded: true`. Only rings
are written down, since an update wakes nobody; routes and inhibition rules are told in full. A team without a
name, that is told by its pager, has no name in test files either, and is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from config.values import show_duration
from gateway.simulation import told_names
from gateway.simulation.test_file import Spot
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.compile import Plan
    from gateway.simulation.test_file import Case
    from routing.story import Notification, Story

MAX_RINGS: Final = 100
"""Moments at which somebody is rung, of one test; what follows them is not written down."""

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+=-]*")
_NOTHING: Final = frozenset({"null", "Null", "NULL"})
_NOWHERE: Final = Spot(1, 1, ())
_WIDTH: Final = 108


@dataclass(frozen=True, slots=True)
class Recorded:
    """What happened in a test.

    Attributes:
        rings: how long after the first firing (ms), and the names of all that were rung then.
        routes: keys of routes that alerts belonged to, in the tree's order.
        rules: inhibition rules that held an alert, as people call them.
        silent: nobody at all was rung.
    """

    rings: tuple[tuple[int, tuple[str, ...]], ...]
    routes: tuple[str, ...]
    rules: tuple[str, ...]
    silent: bool


def recorded(story: Story, at: int, plan: Plan) -> Recorded:
    """What a test that begins `at` (ms since the epoch) would expect, if it expected what happened."""
    known = told_names.Known(plan)
    rings: dict[int, dict[str, None]] = {}
    silent = True
    for one in story.notifications:
        if one.kind == "ring":
            silent = False
            if name := name_of(one, known):
                rings.setdefault(one.at - at, {})[name] = None
    reached = story.reached
    return Recorded(
        rings=tuple((after, tuple(names)) for after, names in sorted(rings.items())[:MAX_RINGS]),
        routes=tuple(route.key for route in walk(plan.root) if route.key in reached.routes),
        rules=tuple(plan.inhibition.called(rule) for rule in sorted(reached.rules)),
        silent=silent,
    )


def name_of(one: Notification, known: told_names.Known) -> str:
    """How a test names who is told by a notification; "" where none that the configuration has means them."""
    written = told_names.called(one)
    try:
        name = told_names.read(written, _NOWHERE)
    except ValueError:
        return ""
    return written if told_names.is_told(name, one) and not known.trouble(name) else ""


# --- as text ---------------------------------------------------------------------------------------------


def lines_of(case: Case, found: Recorded, at: str) -> Iterator[str]:
    """A whole test as an item of `tests:`; `at` is its beginning as written, "" for that of the file."""
    yield f"  - name: {text(case.name)}"
    yield "    recorded: true"
    if at:
        yield f"    at: {at}"
    yield "    alerts:"
    for one in case.alerts:
        labels = ", ".join(f"{text(name)}: {text(value)}" for name, value in one.labels.items())
        yield from _folded(f"      - {{labels: {{{labels}}}{_fires(one.fires)}}}", " " * 9)
    for key, value in expected_values(found).items():
        yield from expected_lines(key, value, "    ")


def _fires(length: int | None) -> str:
    return "" if length is None else f", fires: {show_duration(length)}"


def expected_values(found: Recorded) -> Mapping[str, list[str] | str]:
    """What is expected, key by key, in flow style: a text, or a list whose items go on lines of their own."""
    values: dict[str, list[str] | str] = {"expect_route": flow(found.routes)}
    if found.rules:
        values["expect_inhibited_by"] = flow(found.rules)
    if found.rings:
        values["expect"] = [f"{{at: {show_duration(at)}, told: {flow(names)}}}" for at, names in found.rings]
    elif found.silent:
        values["expect_silent"] = "true"
    return values


def expected_lines(key: str, value: list[str] | str, indent: str) -> Iterator[str]:
    """One of `expected_values`, as lines of a mapping in block style."""
    if isinstance(value, str):
        yield f"{indent}{key}: {value}"
        return
    yield f"{indent}{key}:"
    for item in value:
        yield from _folded(f"{indent}  - {item}", f"{indent}     ")


def flow(items: Iterable[str]) -> str:
    """A list on one line."""
    return "[" + ", ".join(map(text, items)) + "]"


def text(value: str) -> str:
    """A text as YAML: plain where it can be mistaken for nothing else, else between quotes."""
    if _PLAIN.fullmatch(value) and value not in _NOTHING:
        return value
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return '"' + "".join(map(_char, value)) + '"'


def _char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable() and char != "\ufeff":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65_536 else f"\\U{code:08x}"


def _folded(line: str, indent: str) -> Iterator[str]:
    """A line of flow style, broken after commas that stand outside of quotes where it is too long."""
    while len(line) > _WIDTH:
        commas = [at + 1 for at in _commas(line) if at < _WIDTH and at + 1 > len(indent)]
        if not commas or not line[commas[-1] :].strip():
            break
        yield line[: commas[-1]]
        line = f"{indent}{line[commas[-1] :].strip()}"
    yield line


def _commas(line: str) -> Iterator[int]:
    quote = ""
    escaped = False
    for at, char in enumerate(line):
        if escaped:
            escaped = False
        elif quote == '"' and char == "\\":
            escaped = True
        elif char == quote:
            quote = ""
        elif char in "'\"" and not quote:
            quote = char
        elif char == "," and not quote:
            yield at
