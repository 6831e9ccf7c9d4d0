"""Which alerts of an Alertmanager in front come to Tocsin: its tree of routes, judged without alerts.

What is claimed is proved (`routing/satisfiable.py`): that a route is never told, and that all its alerts come
to Tocsin too. Whatever cannot be proved counts as told, and as not coming.

Rules: those of `routing/tree.py`: the first child that matches ends the search unless it has `continue`; a
route is told where no child matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.findings.by_value import ByValue
from routing.satisfiable import can_hold, implies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.alertmanager import FrontRoute
    from routing.matchers import Matcher

    Conditions = tuple[Matcher, ...]


class FrontReach:
    """The answers for one tree and the receivers that are Tocsin."""

    def __init__(self, root: FrontRoute, receivers: frozenset[str]) -> None:
        self._receivers = receivers
        self._children = {route: ByValue(route.children, _asked) for route in root.walk()}
        self._position = {child: at for route in root.walk() for at, child in enumerate(route.children)}

    def told(self, route: FrontRoute) -> bool:
        """Whether the route itself can be told: nothing before it and no child surely takes everything."""
        conditions = _conditions(route)
        takers = [one for one in self._earlier(route, conditions) if not one.continue_]
        takers += self._children[route].candidates(conditions)
        return not any(_implied(conditions, taker) for taker in takers)

    def comes(self, route: FrontRoute) -> bool:
        """Whether every alert that comes to this route certainly comes to Tocsin too, by another one."""
        conditions = _conditions(route)
        for earlier in self._earlier(route, conditions):
            if earlier.continue_ and _implied(conditions, earlier) and self._leads(earlier, conditions):
                return True
        for one in route.lineage()[1:]:
            if one.continue_ and self._goes_on(self._siblings(one, conditions, later=True), conditions):
                return True
        return False

    def _earlier(self, route: FrontRoute, conditions: Conditions) -> Iterator[FrontRoute]:
        """Who may be asked about its alerts before it: siblings of the route or of one above."""
        for one in route.lineage()[1:]:
            yield from self._siblings(one, conditions, later=False)

    def _siblings(self, route: FrontRoute, conditions: Conditions, *, later: bool) -> list[FrontRoute]:
        """The siblings before or after it that may take an alert which meets the conditions."""
        siblings = self._children[route.parent].candidates(conditions) if route.parent else []
        here = self._position[route]
        return [one for one in siblings if one is not route and (self._position[one] > here) == later]

    def _goes_on(self, siblings: Sequence[FrontRoute], conditions: Conditions) -> bool:
        """Whether alerts that are passed on to these routes certainly come to Tocsin by one of them."""
        for sibling in siblings:
            if _implied(conditions, sibling):
                if self._leads(sibling, conditions):
                    return True
                if not sibling.continue_:
                    return False
            elif not sibling.continue_:
                below = (*conditions, *sibling.matchers)
                if can_hold(below) and not self._leads(sibling, below):
                    return False
        return False

    def _leads(self, route: FrontRoute, conditions: Conditions) -> bool:
        """Whether every alert that meets the conditions and enters this route comes to Tocsin below it."""
        taken = False
        for child in self._children[route].candidates(conditions):
            below = (*conditions, *child.matchers)
            if _implied(conditions, child):
                if self._leads(child, conditions):
                    return True
                if not child.continue_:
                    return False
                taken = True
            elif can_hold(below) and not self._leads(child, below):
                if not child.continue_:
                    return False
                taken = True
        return not taken and route.receiver in self._receivers


def _asked(route: FrontRoute) -> tuple[Matcher, ...]:
    return route.matchers


def _conditions(route: FrontRoute) -> Conditions:
    return tuple(matcher for one in route.lineage() for matcher in one.matchers)


def _implied(conditions: Conditions, route: FrontRoute) -> bool:
    """Whether the route takes every alert that meets the conditions."""
    return set(route.matchers) <= set(conditions) or implies(conditions, route.matchers)
