"""Why an alert reaches the routes that it reaches: the plain walk through the tree, with every reason.

It decides nothing: `Tree.match` answers, and this tells of each route that was asked which matchers held and
which was the first that did not. Rules: as in `tree.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.matchers import Matcher
    from routing.tree import Route


@dataclass(frozen=True, slots=True)
class Visit:
    """One route that was asked.

    Attributes:
        depth: 0 for the root.
        held: its matchers that hold; where one fails, those before it.
        failed: the first that does not hold.
        outcome: `told`; `passed on` to a route below it; or `declined`, because of `failed`.
        unasked: how many routes next to it are not asked any more, since this one matched and has no
            `continue`.
    """

    route: Route
    depth: int
    held: tuple[Matcher, ...]
    failed: Matcher | None
    outcome: Literal["told", "passed on", "declined"]
    unasked: int = 0


def explain(root: Route, labels: Mapping[str, str]) -> tuple[Visit, ...]:
    """Every route that is asked about this label set, parents before children, in the tree's order."""
    visits: list[Visit] = []
    _visit(root, labels, 0, visits)
    return tuple(visits)


def _visit(route: Route, labels: Mapping[str, str], depth: int, visits: list[Visit]) -> bool:
    for at, matcher in enumerate(route.matchers):
        if not matcher.matches(labels):
            visits.append(Visit(route, depth, route.matchers[:at], matcher, "declined"))
            return False
    here = len(visits)
    visits.append(Visit(route, depth, route.matchers, None, "told"))
    for at, child in enumerate(route.children):
        below = len(visits)
        if _visit(child, labels, depth + 1, visits):
            visits[here] = replace(visits[here], outcome="passed on")
            if not child.continue_:
                visits[below] = replace(visits[below], unasked=len(route.children) - at - 1)
                break
    return True
