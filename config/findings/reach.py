"""Which alerts reach a route, if any can: past its siblings, and past its own children.

An alert comes to a route if it meets its matchers and those above, and if no earlier sibling without
`continue`, here or above, takes it first. The route itself is told if none of its children takes it. Each
answer is an example or a proof (`routing/satisfiable.py`); what is undecided counts as reached.

One thing is taken for granted: no label has a line break in it. An expression's `.` does not match one, and
without this no `.*` would ever take everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from config.findings.by_value import ByValue
from routing.matchers import Matcher
from routing.satisfiable import Answer, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.findings.subject import PlacedRoute


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether a route is reached. `hidden_by`: those that take all its alerts, where it never is."""

    answer: Answer
    hidden_by: tuple[PlacedRoute, ...] = ()

    @property
    def never(self) -> bool:
        """Proved: no alert comes here."""
        return self.answer.never


class Reach:
    """The answers for one tree, each found when it is first asked for."""

    def __init__(self, routes: Sequence[PlacedRoute]) -> None:
        self._routes = routes
        self._reached: dict[PlacedRoute, Reached] = {}
        self._told: dict[PlacedRoute, Reached] = {}

    @cached_property
    def _families(self) -> dict[PlacedRoute, ByValue[PlacedRoute]]:
        """Each route with its children, made ready to be asked which of them may take an alert."""
        below: dict[PlacedRoute, list[PlacedRoute]] = {route: [] for route in self._routes}
        for route in self._routes:
            if route.parent is not None:
                below[route.parent].append(route)
        return {route: ByValue(children, _asked) for route, children in below.items()}

    def of(self, route: PlacedRoute) -> Reached:
        """Whether an alert comes to the route at all, to it or to a route below it."""
        if route not in self._reached:
            self._reached[route] = self.search(route.conditions, self.hiders(route))
        return self._reached[route]

    def told(self, route: PlacedRoute) -> Reached:
        """Whether the route itself is told of an alert, because none of its children takes it."""
        if route not in self._told:
            hiders = [*self.hiders(route), *self.takers(route, route.conditions)]
            self._told[route] = self.search(route.conditions, hiders)
        return self._told[route]

    def search(self, meeting: Iterable[Matcher], hiders: Sequence[PlacedRoute]) -> Reached:
        """An example of what meets all matchers and no hider takes, or the proof that there is none."""
        avoiding = [hider.route.matchers for hider in hiders]
        answer = find(meeting, avoiding)
        if answer.labels and any("\n" in value for value in answer.labels.values()):
            answer = find([*meeting, *map(one_line, sorted(answer.labels))], avoiding)
        return Reached(answer, tuple(hiders[at] for at in answer.because))

    def hiders(self, route: PlacedRoute) -> list[PlacedRoute]:
        """Who may take alerts before the route: earlier siblings without `continue`, here and above."""
        found: list[PlacedRoute] = []
        for one in route.lineage[1:]:
            assert one.parent is not None  # noqa: S101 - the root alone has none
            for sibling in self._families[one.parent].candidates(route.conditions):
                if sibling.position >= one.position:
                    break
                if sibling.sure and not sibling.route.continue_:
                    found.append(sibling)
        return found

    def next_to(self, route: PlacedRoute) -> list[PlacedRoute]:
        """The later siblings that may take an alert too that the route takes, and goes on with."""
        if route.parent is None:
            return []
        siblings = self._families[route.parent].candidates(route.conditions)
        return [sibling for sibling in siblings if sibling.position > route.position]

    def takers(self, route: PlacedRoute, conditions: Iterable[Matcher]) -> list[PlacedRoute]:
        """The children of the route that may take an alert that meets the conditions."""
        return [child for child in self._families[route].candidates(conditions) if child.sure]


@lru_cache(maxsize=1_024)
def one_line(name: str) -> Matcher:
    """The matcher of a label without line breaks."""
    return Matcher(name, "=~", "[^\n]*")


def _asked(placed: PlacedRoute) -> tuple[Matcher, ...]:
    return placed.route.matchers
