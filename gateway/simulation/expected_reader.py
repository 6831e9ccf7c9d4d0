"""What a test expects, read from its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from config.problems import did_you_mean
from config.values import quote, show_duration
from gateway.simulation import told_names
from gateway.simulation.test_file import Expectation, Names, Silent, Spot
from routing.delivery import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.simulation.values import Value, Values

EXPECTED: Final = ("expect", "expect_not", "expect_silent", "expect_route", "expect_inhibited_by")
WITHIN: Final = 5_000
"""How long after its time (ms) an expectation is met, where nothing else is said."""

_TOLD: Final = ("at", "told", "within", "after", "until", "kind", "text", "recorded")
_SILENT: Final = ("after", "until")
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Expected:
    """Reads what one test expects.

    `within`: of the defaults; `end`: to which the story is told (ms); `recorded`: the mark of the test.
    """

    def __init__(self, values: Values, within: Value | None, end: int | None, *, recorded: bool) -> None:
        self._end = end
        self._values = values
        self._within = values.duration(within) if within else WITHIN
        self._recorded = recorded

    def told(self, value: Value | None) -> tuple[Expectation, ...]:
        """`expect:` or `expect_not:`."""
        items = self._values.items(value, 'a list such as [{at: 5m, told: ["user:dana"]}]')
        return tuple(map(self._expectation, items))

    def _expectation(self, item: Value) -> Expectation:
        values = self._values
        keys = values.mapping(item, _TOLD, 'an expectation such as {at: 5m, told: ["user:dana"]}')
        if keys and "told" not in keys:
            values.wrong(item, "told: is missing; expected a list of who is told")
        names = values.one_or_more(keys.get("told"), "a list of who is told")
        if "told" in keys and keys["told"].node.kind == "list" and not names:
            values.wrong(
                keys["told"], "nobody is named; expected who is told (expect_silent says that nobody is)"
            )
        found = []
        for name in names:
            try:
                if text := values.text(name, "who is told, such as a receiver's name or user:dana"):
                    found.append(told_names.read(text, _spot(name)))
            except ValueError as error:
                values.wrong(name, str(error))
        since, until = self._window(item, keys)
        if self._end is not None and since >= self._end:
            message = (
                f"this comes after the test's until, {show_duration(self._end)}; expected an earlier time"
            )
            values.wrong(keys.get("at") or keys.get("after") or item, message)
        return Expectation(
            told=tuple(found),
            since=since,
            until=until,
            kind=self._kind(keys.get("kind")),
            text=values.text(keys.get("text")),
            recorded=values.flag(keys.get("recorded")) or self._recorded,
            spot=_spot(item),
        )

    def _window(self, item: Value, keys: Mapping[str, Value]) -> tuple[int, int | None]:
        """From when to when, both counted in: `at` and `within`, or `after` and `until`."""
        if "at" in keys:
            at = self._values.duration(keys["at"])
            within = self._values.duration(keys["within"]) if "within" in keys else self._within
            for name in ("after", "until"):
                if name in keys:
                    message = f"{name} stands beside at; expected either at and within, or after and until"
                    self._values.wrong(keys[name], message)
            return at, at + within
        if "within" in keys:
            message = "within says nothing without at; expected at: beside it, or until: instead"
            self._values.wrong(keys["within"], message)
        return self._between(item, keys)

    def _between(self, item: Value, keys: Mapping[str, Value]) -> tuple[int, int | None]:
        """After it, counted in; until it, not counted in: what is due at `until` has come too late."""
        since = self._values.duration(keys["after"]) if "after" in keys else 0
        if "until" not in keys:
            return since, None
        until = self._values.duration(keys["until"], positive=True)
        if until and until <= since:
            self._values.wrong(item, "until comes before after; expected a later time")
        return since, until - 1

    def _kind(self, value: Value | None) -> Kind:
        text = self._values.text(value, "ring, update or end")
        for kind in _KINDS:
            if kind == text:
                return kind
        if value is not None and text:
            hint = did_you_mean(text, _KINDS)
            self._values.wrong(value, f"{quote(text)} cannot be here; expected ring, update or end{hint}")
        return "ring"

    def silent(self, value: Value | None) -> Silent | None:
        """`expect_silent:`: true, or when."""
        if value is None:
            return None
        if value.node.kind == "text":
            return Silent(0, None, _spot(value)) if self._values.flag(value) else None
        keys = self._values.mapping(value, _SILENT, "true, or from when to when: {after: 20m, until: 2h}")
        return Silent(*self._between(value, keys), _spot(value))

    def names(self, value: Value | None, what: str) -> Names | None:
        """`expect_route:` or `expect_inhibited_by:`: one name, a list of them, or an empty list."""
        if value is None:
            return None
        found = [
            self._values.text(name, what) for name in self._values.one_or_more(value, f"a list of {what}s")
        ]
        return Names(tuple(found), _spot(value))


def _spot(value: Value) -> Spot:
    return Spot(value.node.line, value.node.column, value.path)
