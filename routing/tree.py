"""The routing tree: which routes an alert reaches, and which of its labels make its group.

`config/compile.py` makes the routes; `Tree` finds the ones for an alert, by lookup where a route asks for an
exact value. Timers are carried, not interpreted. Why a route is told says `explain.py`.

Rules: Alertmanager's `dispatch/route.go`. A route matches if all its matchers do. Its children are
asked from left to right; the first that matches ends the search unless it says `continue`. A route
whose children all decline is itself the answer, so a parent never notifies beside its children.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from routing.go_strings import quote
from routing.matchers import matches_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.calendar import TimeInterval
    from routing.matchers import Matcher

POLICY: Final = "policy:"
"""How a group's record, and everything that is shown, tells a policy from a receiver."""


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree with everything inherited already filled in.

    Attributes:
        key: identity across reloads, unique in the tree: the route's own name, else its matchers below
            those of its parents as Alertmanager joins them, `{}/{team="a"}`, `#2` for a second equal one.
        receiver: name of the receiver that is told; "" where a policy says who is.
        policy: name of the escalation policy that is followed; "" where the receiver is told.
        group_by: labels that make the group; None for `...`, which is all of them.
        group_wait, group_interval, repeat_interval: milliseconds.
        continue_: after this route matched, its next sibling is asked too.
        mute, active: intervals in which, and outside of which, it tells nobody new. It matches all the same.
        team: whose alerts these are, where their labels name no team.
        labels: of the route itself, by name; they stand in what is sent, and match nothing.
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
    mute: tuple[TimeInterval, ...] = ()
    active: tuple[TimeInterval, ...] = ()
    policy: str = ""
    team: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def told(self) -> str:
        """Who is told, as it is shown: the receiver's name, or `policy:` and the policy's."""
        return f"{POLICY}{self.policy}" if self.policy else self.receiver


class Tree:
    """A tree of routes, compiled: which of them are told of an alert.

    An answer depends on the labels alone that some matcher names, so it is remembered by their values: what
    differs in other labels (`instance`) shares one answer, and a known one costs the same however many
    routes there are. At most `remember` answers are kept.
    """

    def __init__(self, root: Route, *, remember: int = 100_000) -> None:
        self.root = root
        self._node = _compiled(root, root.matchers, 0)
        self._names = sorted({matcher.name for route in walk(root) for matcher in route.matchers})
        self._remember = remember
        self._answers: dict[tuple[str | None, ...], tuple[Route, ...]] = {}

    def match(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """Every route that is told, in the tree's order. The root takes what nobody else does."""
        key = tuple(map(labels.get, self._names))
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= self._remember:
                self._answers.clear()
            found: list[Route] = []
            if matches_all(self._node.unsure, labels):
                _collect(self._node, labels, found)
            answer = self._answers[key] = tuple(found)
        return answer


@dataclass(frozen=True, slots=True)
class _Node:
    """A route made ready.

    Attributes:
        position: among its siblings.
        unsure: the matchers that are left to ask once the lookup in the parent has found the route.
        lookups: label name -> value -> the children that ask for exactly this value, in order.
        scanned: the children that no lookup finds, in order.
    """

    route: Route
    position: int
    unsure: tuple[Matcher, ...]
    lookups: tuple[tuple[str, dict[str, list[_Node]]], ...]
    scanned: tuple[_Node, ...]


def _compiled(route: Route, unsure: tuple[Matcher, ...], position: int) -> _Node:
    asked: dict[str, set[str]] = {}  # label name -> all values that children ask for
    for child in route.children:
        for matcher in child.matchers:
            asked.setdefault(matcher.name, set()).update(_values(matcher))
    lookups: dict[str, dict[str, list[_Node]]] = {}
    scanned: list[_Node] = []
    for at, child in enumerate(route.children):
        exact = [matcher for matcher in child.matchers if _values(matcher)]
        if not exact:
            scanned.append(_compiled(child, child.matchers, at))
            continue
        key = max(exact, key=lambda matcher: len(asked[matcher.name]))  # it tells most children apart
        rest = tuple(matcher for matcher in child.matchers if matcher is not key)
        node = _compiled(child, rest, at)
        for value in _values(key):
            lookups.setdefault(key.name, {}).setdefault(value, []).append(node)
    return _Node(route, position, unsure, tuple(lookups.items()), tuple(scanned))


_ALTERNATIVES = re.compile(r"[A-Za-z0-9_-]+(\|[A-Za-z0-9_-]+)*")


def _values(matcher: Matcher) -> frozenset[str]:
    """The values that meet a matcher, where it simply lists them: `="a"` or `=~"a|b"`; else none."""
    if matcher.op == "=":
        return frozenset({matcher.value})
    if matcher.op == "=~" and _ALTERNATIVES.fullmatch(matcher.value):
        return frozenset(matcher.value.split("|"))
    return frozenset()


def _collect(node: _Node, labels: Mapping[str, str], found: list[Route]) -> None:
    """Adds who is told at or below a node that matches."""
    before = len(found)
    for child in _candidates(node, labels):
        for matcher in child.unsure:
            if not matcher.matches(labels):
                break
        else:
            _collect(child, labels, found)
            if not child.route.continue_:
                break
    if len(found) == before:
        found.append(node.route)


def _candidates(node: _Node, labels: Mapping[str, str]) -> Iterable[_Node]:
    """The children that may match, in order: those that the lookups find among those that are scanned."""
    hits = [child for name, by_value in node.lookups for child in by_value.get(labels.get(name, ""), ())]
    if len(hits) > 1:
        hits.sort(key=_position)
    return _merged(hits, node.scanned) if hits and node.scanned else hits or node.scanned


def _merged(hits: list[_Node], scanned: tuple[_Node, ...]) -> Iterator[_Node]:
    waiting = 0
    for child in scanned:
        while waiting < len(hits) and hits[waiting].position < child.position:
            yield hits[waiting]
            waiting += 1
        yield child
    yield from hits[waiting:]


def _position(node: _Node) -> int:
    return node.position


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
