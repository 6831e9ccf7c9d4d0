"""Things with matchers, found by the values that they ask for: most can be passed over at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from routing.matchers import Matcher

T = TypeVar("T")


class ByValue(Generic[T]):
    """Things in their order, filed under the first value that each asks for with `=`."""

    def __init__(self, things: Iterable[T], matchers: Callable[[T], Iterable[Matcher]]) -> None:
        self._asking: dict[str, dict[str, list[tuple[int, T]]]] = {}
        self._others: list[tuple[int, T]] = []
        for at, thing in enumerate(things):
            exact = next((matcher for matcher in matchers(thing) if matcher.op == "="), None)
            if exact is None:
                self._others.append((at, thing))
            else:
                self._asking.setdefault(exact.name, {}).setdefault(exact.value, []).append((at, thing))
        self._others_alone = [thing for _, thing in self._others]

    def candidates(self, conditions: Iterable[Matcher]) -> Sequence[T]:
        """Those that may hold together with the conditions, in order; the others certainly do not."""
        if not self._asking:
            return self._others_alone
        fixed = {matcher.name: matcher.value for matcher in conditions if matcher.op == "="}
        found = list(self._others)
        for name, by_value in self._asking.items():
            lists = [by_value.get(fixed[name], [])] if name in fixed else by_value.values()
            found += [filed for filed_so in lists for filed in filed_so]
        return [thing for _, thing in sorted(found, key=lambda filed: filed[0])]
