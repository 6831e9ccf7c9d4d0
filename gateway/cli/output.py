"""How answers are written: data to stdout, everything else to stderr.

Text is a table without lines, so that it reads well and `grep`, `cut` and `awk` can work with it; without a
terminal nothing is cut or wrapped. Colour only carries meaning, and NO_COLOR switches it off. What comes
from outside (labels, error texts) cannot speak to the terminal: every control character is shown, not sent.
JSON is the API's document as it came.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Final, Literal

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.cli.errors import ReaderGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_SHOWN: Final = 1_000  # characters of one value in text; JSON has all of it
UNBOUNDED: Final = 100_000
ROOM_FOR_LAST: Final = 32  # with less room than this, the last column goes below its row

# C0 and C1 controls, DEL, line and paragraph separators, and what turns the direction of writing.
_DANGEROUS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BARE_VALUE: Final = re.compile(r"[^\s\"'=,{}]+")

_STYLES: Final = {
    "pending": "dim",
    "held": "dim",
    "triggered": "bold red",
    "firing": "red",
    "suspect": "yellow",
    "dead": "bold red",
    "refused": "bold red",
    "retry": "yellow",
    "open": "yellow",
    "waiting": "yellow",
    "acknowledged": "yellow",
    "active": "yellow",
    "expired": "dim",
    "resolved": "green",
    "done": "green",
    "alive": "green",
    "missing": "bold red",
    "sent": "green",
    "critical": "bold red",
}


def plain(value: object, limit: int = MAX_SHOWN) -> str:
    """`value` as one line that is safe on a terminal, `-` for null, cut to `limit` characters."""
    if value is None:
        return "-"
    text = str(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return _DANGEROUS.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    character = found.group()
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character) or _escape(ord(character))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def word(value: object) -> Text:
    """A status, state or severity, in the colour that it means."""
    return Text(plain(value), style=_STYLES.get(str(value), ""))


def labels(mapping: Mapping[str, Any] | None) -> str:
    """Labels as `name=value`, the alert's name first; a value is quoted where it could be misread."""
    names = sorted(mapping or {}, key=lambda name: (name != "alertname", name))
    return " ".join(f"{plain(name)}={_quoted(plain((mapping or {})[name]))}" for name in names)


def _quoted(value: str) -> str:
    if _BARE_VALUE.fullmatch(value):
        return value
    return '"' + value.replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; the last of a table may wrap, the others never do."""

    title: str
    right: bool = False


def write_json(document: object) -> None:
    """Print `document` as indented JSON, its keys in the order in which they came."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    write_lines([harmless_json(document, ascii_only=encoding != "utf8")])


def harmless_json(document: object, *, ascii_only: bool) -> str:
    """JSON without a character that a terminal could obey: inside strings JSON lets them be escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=ascii_only)
    return "\n".join(_DANGEROUS.sub(lambda c: f"\\u{ord(c.group()):04x}", line) for line in text.split("\n"))


def write(*renderables: RenderableType) -> None:
    """Print `renderables` one below the other to stdout."""
    write_lines(line for item in renderables for line in _lines(item))


def write_lines(lines: Iterable[str]) -> None:
    """Print lines that are already safe.

    Raises:
        ReaderGoneError: the output was closed. (typer would take a `BrokenPipeError` for a failure.)
    """
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    except BrokenPipeError:
        raise ReaderGoneError from None


def write_line(value: object) -> None:
    """Print one line, however long it is: a terminal may wrap it, we do not."""
    write_lines([plain(value, UNBOUNDED)])


def write_table(columns: Sequence[Column], rows: Iterable[Sequence[object]], indent: int = 0) -> None:
    """Print rows under their titles; what does not fit on a narrow terminal goes onto a line below its row.

    Only the last column wraps. Nothing is ever cut: a number or an id that is cut is worth nothing.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    fitting = _fitting(columns, cells, _width() - indent)
    if fitting == len(columns):
        write(_indented(_table(columns, cells), indent))
        return
    table = _table(columns[:fitting], [row[:fitting] for row in cells])
    title, *lines = _lines(_indented(table, indent), UNBOUNDED)
    write_lines([title])
    for line, row in zip(lines, cells, strict=True):
        rest = Text("  ").join(cell for cell in row[fitting:] if cell)
        write_lines([line, *(_lines(_indented(rest, indent + 4)) if rest else [])])


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text(plain(value, UNBOUNDED))


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[Text]], room: int) -> int:
    """How many columns, from the left, find room beside each other; at least one."""
    for index, column in enumerate(columns):
        need = max([len(column.title), *(row[index].cell_len for row in cells)])
        last = index == len(columns) - 1
        if index > 0 and room < (min(need, ROOM_FOR_LAST) if last else need):
            return index
        room -= need + 2
    return len(columns)


def write_fields(fields: Mapping[str, object]) -> None:
    """Print names and their values in two columns, leaving out what is empty or `-`."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields.items():
        if str(value) not in {"", "-", "None"}:
            grid.add_row(name, _cell(value))
    write(_indented(grid, 2))


def say(message: str, hint: str = "") -> None:
    """Something that is no data, to stderr; `hint` is set below it."""
    sys.stderr.write(plain(message, UNBOUNDED) + "\n")
    for line in hint.splitlines():
        sys.stderr.write(f"  {plain(line)}\n")


def _table(columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False, show_edge=False)
    for column in columns:
        last = column is columns[-1]
        align: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=align, no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _indented(item: RenderableType, indent: int) -> RenderableType:
    return Padding(item, (0, 0, 0, indent), expand=False) if indent else item


def _lines(item: RenderableType, width: int | None = None) -> list[str]:
    console = Console(
        file=sys.stdout,
        width=width or _width(),
        no_color=_colourless(),
        color_system=None if _colourless() else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )
    with console.capture() as captured:
        console.print(item)
    return [line.rstrip() for line in captured.get().splitlines()]


def _colourless() -> bool:
    return bool(os.environ.get("NO_COLOR"))


def _width() -> int:
    """Columns of the terminal; where there is none, a program reads, and lines stay whole."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return max(get_terminal_size().columns, 20)
    return UNBOUNDED
