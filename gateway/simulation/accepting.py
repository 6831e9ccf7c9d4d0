"""Failed expectations of a test file -> what is: the file's text anew, with marks that say so.

Of a test that fails only what failed is changed. An expectation of somebody keeps those who were told, and
each of the others becomes one of the moment at which they were, or of `expect_not` if they never were. Who
was told against `expect_not` or `expect_silent` is expected from now on. All that is new is marked
`recorded: true`: where routes or rules differ, or nothing else is left to be expected, the whole test is.

What stands elsewhere than where it is used (examples, aliases, merged keys) is left for people to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.values import show_duration
from gateway.simulation.recorded_tests import flow, name_of, recorded, text
from gateway.simulation.told_names import Known, is_told
from gateway.simulation.yaml_edit import NotHereError, YamlText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.compile import Plan
    from config.document import Node
    from gateway.simulation.expectations import Failed
    from gateway.simulation.test_file import Expectation, Names
    from gateway.simulation.testing import Tried
    from routing.delivery import Kind
    from routing.story import Notification

    New = tuple[int, str, str]  # how long after the first firing (ms), who, and by which kind

_TIMES: Final = frozenset({"at", "within", "after", "until"})


def accepted(written: str, failed: Iterable[Tried], plan: Plan) -> tuple[str, dict[str, str]]:
    """The text of a test file in which these tests, which failed, expect what happened.

    With it come the names of those that are left as they are, each with the reason.
    """
    mark = written[: written.startswith("\ufeff")]  # of the order of bytes
    edit = YamlText(written.removeprefix(mark))
    left: dict[str, str] = {}
    for tried in failed:
        before = edit.count
        if tried.case.example:
            left[tried.case.name] = "it is one of several examples; change it by hand"
            continue
        try:
            _Acceptance(tried, plan, edit).accept()
        except NotHereError:
            edit.forget(before)
            message = (
                "what it expects stands elsewhere (an alias, a key that is merged in); change it by hand"
            )
            left[tried.case.name] = message
    return mark + edit.changed(), left


class _Acceptance:
    """One test, as its file is changed."""

    def __init__(self, tried: Tried, plan: Plan, edit: YamlText) -> None:
        self._case, self._story, self._edit = tried.case, tried.story, edit
        self._test = tried.case.spot.path
        self._document = tried.suite.document
        self._failed = {failed.spot.path: failed for failed in tried.failed}
        self._found = recorded(tried.story, tried.case.at, plan)
        self._known = Known(plan)
        self._never: dict[Kind, list[str]] = {}  # who is never told by a kind, but was expected to be

    def accept(self) -> None:
        more, instead_not = self._unwanted()
        instead = {at: self._instead(one, failed) for at, one, failed in self._failing(self._case.expect)}
        silent = self._case.silent
        if silent and (broken := self._failed.get(silent.spot.path)):
            more += [one for one in broken.unwanted if not self._covered(one)]
            self._edit.remove((*self._test, "expect_silent"))
            silent = None
        items = list(self._items(map(self._new, more)))
        never = [f"{{told: {flow(names)}{_by(kind)}, recorded: true}}" for kind, names in self._never.items()]
        self._change("expect", instead, items)
        self._change("expect_not", instead_not, never)
        exact = [
            self._exact("expect_route", self._case.route, self._found.routes),
            self._exact("expect_inhibited_by", self._case.inhibited_by, self._found.rules),
        ]
        kept = [
            one for one in (*self._case.expect, *self._case.expect_not) if one.spot.path not in self._failed
        ]
        changed = items or never or any(instead.values()) or any(instead_not.values())
        if not (kept or changed or silent or self._case.route or self._case.inhibited_by):
            self._add("expect_route", flow(self._found.routes))
            if self._found.silent:
                self._add("expect_silent", "true")
            exact = [True]
        if any(exact):
            self._mark()

    # --- who is told ---

    def _failing(self, every: Iterable[Expectation]) -> Iterator[tuple[int, Expectation, Failed]]:
        """Those that failed, with their places in their list."""
        for one in every:
            place = one.spot.path[-1]
            if one.spot.path in self._failed and isinstance(place, int):
                yield place, one, self._failed[one.spot.path]

    def _unwanted(self) -> tuple[list[Notification], dict[int, list[str]]]:
        """Who was told against `expect_not`, and what is left of its items."""
        told: list[Notification] = []
        instead: dict[int, list[str]] = {}
        for place, one, failed in self._failing(self._case.expect_not):
            told += [each for each in failed.unwanted if not self._covered(each)]
            kept = [n.written for n in one.told if not any(is_told(n, each) for each in failed.unwanted)]
            instead[place] = self._with(one, kept)
        return told, instead

    def _instead(self, one: Expectation, failed: Failed) -> list[str]:
        """What stands in place of an expectation: who was told, and when the others were."""
        missing = {each.name for each in failed.missing}
        new: list[New] = []
        for name in one.told:
            told = [
                each.at - self._story.began
                for each in self._story.notifications
                if each.kind == one.kind and is_told(name, each)
            ]
            if name.written in missing and told:
                at = min(told, key=lambda at: (at < one.since, at))
                new.append((at, name.written, one.kind))
            elif name.written in missing and name.written not in self._never.setdefault(one.kind, []):
                self._never[one.kind].append(name.written)
        if one.kind == "ring" and one.until is not None:  # others, at that time
            new += [
                self._new(each)
                for each in self._story.notifications
                if each.kind == "ring" and _within(one, each, self._story.began) and not self._covered(each)
                if not any(is_told(name, each) for name in one.told)
            ]
        kept = [name.written for name in one.told if name.written not in missing]
        return [*self._with(one, kept), *self._items(new)]

    def _new(self, told: Notification) -> New:
        return told.at - self._story.began, name_of(told, self._known), told.kind

    def _covered(self, told: Notification) -> bool:
        """Whether an expectation that holds says so already."""
        return any(
            any(is_told(name, told) for name in one.told)
            for one in self._case.expect
            if one.spot.path not in self._failed
            and one.kind == told.kind
            and _within(one, told, self._story.began)
        )

    def _items(self, new: Iterable[New]) -> Iterator[str]:
        """New expectations, one for each moment and kind."""
        together: dict[tuple[int, str], list[str]] = {}
        for at, name, kind in sorted(one for one in dict.fromkeys(new) if one[1]):
            together.setdefault((at, kind), []).append(name)
        for (at, kind), names in together.items():
            yield f"{{at: {show_duration(at)}, told: {flow(names)}{_by(kind)}, recorded: true}}"

    def _with(self, one: Expectation, names: Sequence[str]) -> list[str]:
        """An expectation as it is written, but of these people alone; none at all for none."""
        if not names:
            return []
        node = self._document.at(one.spot.path)
        parts = [
            f"{key}: {flow(names) if key == 'told' else value.text if key in _TIMES else _flow(value)}"
            for key, (_, value) in node.entries.items()
        ]
        return [f"{{{', '.join(parts)}}}"]

    def _change(self, key: str, instead: dict[int, list[str]], items: Sequence[str]) -> None:
        path = (*self._test, key)
        if self._edit.has(path) and (instead or items):
            self._edit.set_items(path, instead, items)
        elif instead:
            raise NotHereError
        elif items:
            self._add(key, items)

    # --- the rest ---

    def _exact(self, key: str, expected: Names | None, found: Sequence[str]) -> bool:
        """Routes or rules as they are, where others were expected."""
        if expected is None or expected.spot.path not in self._failed:
            return False
        self._edit.set_value((*self._test, key), flow(found))
        return True

    def _mark(self) -> None:
        """The whole test says what is."""
        if self._case.recorded:
            return
        if self._edit.has((*self._test, "recorded")):
            self._edit.set_value((*self._test, "recorded"), "true")
        else:
            self._add("recorded", "true")

    def _add(self, key: str, value: str | Sequence[str]) -> None:
        self._edit.add(self._test, "name", key, value)


def _by(kind: str) -> str:
    return "" if kind == "ring" else f", kind: {kind}"


def _within(one: Expectation, told: Notification, began: int) -> bool:
    return one.since <= told.at - began and (one.until is None or told.at - began <= one.until)


def _flow(node: Node) -> str:
    """A value in flow style."""
    match node.kind:
        case "text":
            return text(node.text)
        case "list":
            return f"[{', '.join(map(_flow, node.items))}]"
        case "mapping":
            return (
                f"{{{', '.join(f'{text(key)}: {_flow(value)}' for key, (_, value) in node.entries.items())}}}"
            )
        case _:
            return ""
