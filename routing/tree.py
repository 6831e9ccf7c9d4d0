"""The routing tree: which routes an alert reaches, and which of its labels make its group.

`config/compile.py` builds the tree; here it is only walked. Timers are carried, not interpreted.

Rules: Alertmanager's `dispatch/route.go`. A route matches if all its matchers do. Its children are
asked from left to right; the first that matches ends the search unless it says `continue`. A route
whose children all decline is itself the answer, so a parent never notifies beside its children.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.go_strings import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from routing.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree with everything inherited already filled in.

    Attributes:
        key: identity across reloads, unique in the tree: the route's own name, else its matchers below
            those of its parents as Alertmanager joins them, `{}/{team="a"}`, `#2` for a second equal one.
        receiver: name of the receiver that is told.
        group_by: labels that make the group; None for `...`, which is all of them.
        group_wait, group_interval, repeat_interval: milliseconds.
        continue_: after this route matched, its next sibling is asked too.
    """

    key: str
    receiver: str
    group_by: frozenset[str] | None
    group_wait: int
    group_interval: int
    repeat_interval: int
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    children: tuple[Route, ...] = ()


def match(root: Route, labels: Mapping[str, str]) -> tuple[Route, ...]:
    """Every route that is told of this alert, in the tree's order. The root takes what nobody else does."""
    found: list[Route] = []
    _collect(root, labels, found)
    return tuple(found)


def _collect(route: Route, labels: Mapping[str, str], found: list[Route]) -> bool:
    for matcher in route.matchers:
        if not matcher.matches(labels):
            return False
    before = len(found)
    for child in route.children:
        if _collect(child, labels, found) and not child.continue_:
            break
    if len(found) == before:
        found.append(route)
    return True


def group_labels(route: Route, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that make the alert's group under this route; those it does not have are left out."""
    if route.group_by is None:
        return dict(labels)
    return {name: labels[name] for name in sorted(route.group_by) if name in labels}


def group_key(route: Route, group_labels: Mapping[str, str]) -> str:
    """Alertmanager's `groupKey`, `{}/{team="a"}:{alertname="X"}`. Only shown: never an identity."""
    pairs = sorted(f"{name}={quote(value)}" for name, value in group_labels.items())
    return f"{route.key}:{{{', '.join(pairs)}}}"


def walk(root: Route) -> Iterator[Route]:
    """Every route, parents before children, in the order written."""
    yield root
    for child in root.children:
        yield from walk(child)
