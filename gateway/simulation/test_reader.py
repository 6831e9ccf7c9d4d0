"""A file of routing tests -> its cases, or all that is wrong with it, each with file, line and column.

Examples are multiplied out and what `defaults:` and `alerts:` share is put in place here. Whether the names
in it exist says the configuration, not this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.files import text_of
from config.problems import ConfigError, Problem, did_you_mean
from config.source import read
from config.values import quote
from gateway.simulation import placeholders
from gateway.simulation.expected_reader import EXPECTED, Expected
from gateway.simulation.given_reader import GIVEN, Given
from gateway.simulation.test_file import Case, Spot, Suite
from gateway.simulation.times import TimeError, place
from gateway.simulation.values import Value, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from config.document import Node

MAX_CASES: Final = 100_000
MAX_NAME: Final = 200
MONDAY: Final = 1_767_614_400_000
"""When a test begins that does not say it: Monday, 2026-01-05, 12:00 UTC, whatever day it is run."""

_TOP: Final = ("config", "zone", "defaults", "alerts", "tests")
_DEFAULTS: Final = (*GIVEN, "within", "labels")
_TEST: Final = ("name", *GIVEN, *EXPECTED, "recorded", "examples")


def load_suite(path: Path) -> Suite:
    """The tests in a file.

    Raises:
        ConfigError: with all problems.
    """
    return read_suite(text_of(path, "a file of routing tests"), path)


def read_suite(text: str, path: Path) -> Suite:
    """The tests in a text; `path` stands in errors, and the configuration is found from its folder.

    Raises:
        ConfigError: with all problems.
    """
    name = str(path)
    if all(line.strip() in ("", "---") or line.lstrip().startswith("#") for line in text.splitlines()):
        raise ConfigError([Problem(name, 1, 1, "", "the file is empty; expected config: and tests:")])
    document = read(text, name, None)
    values = Values(name)
    top = values.mapping(Value((), document.root), _TOP, "config: and tests:")
    root = Value((), document.root)
    config = values.text(top.get("config"), "the path of a tocsin.yaml")
    if document.root.kind == "mapping" and "config" not in top:
        values.wrong(root, "config: is missing; expected the path of a tocsin.yaml, from this file's folder")
    zone = _zone(top.get("zone"), values)
    cases = tuple(_Reader(values, zone, top).cases())
    if document.root.kind == "mapping" and "tests" not in top:
        values.wrong(root, "tests: is missing; expected a list of tests")
    if values.problems or document.problems:
        raise ConfigError([*document.problems, *values.problems])
    return Suite(path, path.parent / config, zone, cases, document)


def _zone(value: Value | None, values: Values) -> str:
    text = values.text(value, "a time zone such as Europe/Berlin")
    if value is None or not text:
        return "UTC"
    try:
        return place(text)
    except TimeError as error:
        values.wrong(value, str(error))
        return "UTC"


class _Reader:
    """The tests of one file."""

    def __init__(self, values: Values, zone: str, top: Mapping[str, Value]) -> None:
        self._values = values
        self._zone = zone
        self._tests = top.get("tests")
        self._defaults: Mapping[str, Value] = {}
        if "defaults" in top:
            self._defaults = values.mapping(
                top["defaults"], _DEFAULTS, f"keys such as {', '.join(_DEFAULTS)}"
            )
        self._named: Mapping[str, Value] = {}
        if "alerts" in top:
            self._named = values.mapping(top["alerts"], None, "names, and an alert below each")
        self._shown: set[str] = set()

    def cases(self) -> Iterator[Case]:
        lines: dict[str, int] = {}
        count = 0
        for value in self._values.items(self._tests, "a list of tests"):
            for case in self._test(value, lines):
                count += 1
                if count > MAX_CASES:
                    self._values.wrong(value, f"more than {MAX_CASES:,} tests, examples counted")
                    return
                yield case
        if self._tests is not None and not count and not self._values.problems:
            self._values.wrong(
                self._tests, "no test at all; expected a list of tests, each with name: and alerts:"
            )

    def _test(self, value: Value, lines: dict[str, int]) -> Iterator[Case]:
        values = self._values
        keys = values.mapping(value, _TEST, "a test: name:, alerts: and what is expected")
        if value.node.kind != "mapping":
            return
        name = values.text(keys.get("name"), "a name")
        if "name" not in keys:
            values.wrong(value, "this test has no name; expected name: and what it is about")
        elif len(name) > MAX_NAME:
            values.wrong(keys["name"], f"longer than {MAX_NAME} characters; expected a shorter name")
        elif name in lines:
            first = f"the first is in line {lines[name]}"
            values.wrong(
                keys["name"], f"the test {quote(name)} stands here twice; {first}; expected unique names"
            )
        lines.setdefault(name, value.node.line)
        examples = keys.pop("examples", None)
        if examples is None:
            body = {key: placeholders.filled(below, None, values) for key, below in keys.items()}
            yield self._case(value, body, name, 0, None)
            return
        rows = values.items(examples, "a list of mappings, each a line of the table")
        if examples.node.kind == "list" and not rows:
            values.wrong(examples, "no example at all; expected a list of mappings, each a line of the table")
        columns: AbstractSet[str] = frozenset()
        for number, row in enumerate(rows, 1):
            cells = self._cells(row)
            columns = columns or cells.keys()
            if cells.keys() ^ columns and cells:
                self._compare(row, cells.keys(), columns)
            elif cells:
                body = {key: placeholders.filled(below, cells, values) for key, below in keys.items()}
                yield self._case(value, body, name, number, cells)

    def _cells(self, row: Value) -> dict[str, Node]:
        """What the line of a table gives for each column, nothing at all included."""
        if row.node.kind == "mapping" and row.node.entries:
            return {name: below for name, (_, below) in row.node.entries.items()}
        self._values.mapping(row, None, "a line of the table such as {team: db}")
        if row.node.kind == "mapping":
            self._values.wrong(
                row, "this example gives nothing; expected a line of the table such as {team: db}"
            )
        return {}

    def _compare(self, row: Value, here: AbstractSet[str], columns: AbstractSet[str]) -> None:
        for name in sorted(columns - here):
            hint = did_you_mean(name, here - columns)
            self._values.wrong(row, f"this example gives no {name!r}, but the first one does{hint}")
        for name in sorted(here - columns):
            message = f"the first example gives no {name!r}, but this one does"
            self._values.wrong(row, message + did_you_mean(name, columns - here))

    def _case(
        self,
        value: Value,
        keys: Mapping[str, Value],
        name: str,
        example: int,
        cells: Mapping[str, Node] | None,
    ) -> Case:
        values = self._values
        recorded = values.flag(keys.get("recorded"))

        def filled(below: Value) -> Value:
            return placeholders.filled(below, cells, values)

        shared = {key: filled(below) for key, below in self._defaults.items() if key not in keys}
        labels = values.texts(shared.pop("labels", None), "labels, name: value")
        within = shared.pop("within", None)
        given = Given(values, labels, self._named, filled)
        found = {**shared, **keys}
        until = given.until(found.get("until"))
        expected = Expected(values, within, until, recorded=recorded)
        return Case(
            name=self._unique(values.text(keys.get("name")), name, example),
            test=name,
            example=example,
            at=values.moment(found["at"], self._zone) if "at" in found else MONDAY,
            spot=Spot(value.node.line, value.node.column, value.path),
            recorded=recorded,
            until=until,
            alerts=given.alerts(found.get("alerts"), value),
            answers=given.answers(found.get("answers")),
            silences=given.silences(found.get("silences")),
            failures=given.failures(found.get("failures")),
            overrides=given.overrides(found.get("overrides")),
            expect=expected.told(keys.get("expect")),
            expect_not=expected.told(keys.get("expect_not")),
            silent=expected.silent(keys.get("expect_silent")),
            route=expected.names(keys.get("expect_route"), "route"),
            inhibited_by=expected.names(keys.get("expect_inhibited_by"), "inhibition rule"),
        )

    def _unique(self, name: str, test: str, example: int) -> str:
        """The case's name: with its number where it would be that of another example."""
        if example and (name == test or name in self._shown):
            name = f"{name} [{example}]"
        self._shown.add(name)
        return name
