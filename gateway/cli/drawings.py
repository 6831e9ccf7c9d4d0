"""The routing tree on paper: as a table, as JSON, as a DOT or mermaid graph, and why an alert goes where.

It draws what `routing/explain.py` found; it decides nothing. Text that comes from the configuration is made
harmless for where it goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from config.first_told import told_of
from config.values import show_duration
from gateway.cli import output as out
from routing.matchers import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from config.compile import Plan
    from routing.explain import Visit
    from routing.tree import Route

_STYLES: Final = {"told": "bold green", "passed on": "green", "declined": "dim"}
_FILLED: Final = {"told": "#b7e4c7", "passed on": "#e9f5ec"}


def title(route: Route) -> str:
    """`name {a="b"}`, the matchers alone where it has no name."""
    conditions = show(route.matchers)
    return conditions if route.key.startswith("{}") else f"{route.key} {conditions}"


def _grouping(route: Route) -> list[str]:
    return ["..."] if route.group_by is None else sorted(route.group_by)


def _quiet(route: Route) -> str:
    """`mute in nights; active only in office`, "" for a route that is never quiet."""
    intervals = {"mute in": route.mute, "active only in": route.active}
    return "; ".join(
        f"{how} {', '.join(one.name for one in some)}" for how, some in intervals.items() if some
    )


def _spans(route: Route) -> list[str | None]:
    """Wait, interval and repeat; a policy does not repeat."""
    repeat = None if route.policy else show_duration(route.repeat_interval)
    return [show_duration(route.group_wait), show_duration(route.group_interval), repeat]


def _outcomes(visits: Sequence[Visit]) -> dict[str, str]:
    return {visit.route.key: visit.outcome for visit in visits}


# --- text ----------------------------------------------------------------------------------------------


def write_tree(root: Route, visits: Sequence[Visit]) -> None:
    """Print a row for each route; where an alert was asked about, with what became of it there."""
    outcomes = _outcomes(visits)
    branches = list(_branches(root))
    columns: dict[str, Callable[[Route], object]] = {
        "RECEIVER": lambda route: route.told,
        "WAIT": lambda route: _spans(route)[0],
        "INTERVAL": lambda route: _spans(route)[1],
        "REPEAT": lambda route: _spans(route)[2],
        "TEAM": lambda route: route.team or None,
        "QUIET": lambda route: _quiet(route) or None,
        "GROUP BY": lambda route: ", ".join(_grouping(route)) or None,
    }
    for name in ("TEAM", "QUIET"):  # of use to few
        if not any(columns[name](route) for _, route in branches):
            del columns[name]
    rows: list[list[object]] = []
    for lead, route in branches:
        what = f"{lead}{title(route)}{'  continue' if route.continue_ else ''}"
        row = [what, *(shown(route) for shown in columns.values())]
        outcome = outcomes.get(route.key, "")
        rows.append([Text(outcome, style=_STYLES.get(outcome, "")), *row] if visits else row)
    titles = ["ROUTE", *columns]
    out.write_table([out.Column(name) for name in (["ALERT", *titles] if visits else titles)], rows)


def _branches(route: Route, lead: str = "", below: str = "") -> Iterator[tuple[str, Route]]:
    """Every route with the lines that lead to it."""
    yield lead, route
    for child in route.children:
        last = child is route.children[-1]
        yield from _branches(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


def write_reasons(visits: Sequence[Visit], labels: Mapping[str, str], plan: Plan) -> None:
    """Print of each route that was asked what became of the alert there, and why."""
    rows = [
        [
            Text(visit.outcome, style=_STYLES[visit.outcome]),
            "  " * visit.depth + title(visit.route),
            _why(visit, labels, plan),
        ]
        for visit in visits
    ]
    out.write_table([out.Column(name) for name in ("ALERT", "ROUTE", "WHY")], rows)


def _why(visit: Visit, labels: Mapping[str, str], plan: Plan) -> str:
    if visit.failed is not None:
        name = visit.failed.name
        found = f'{name} is "{labels[name]}"' if labels.get(name) else f"there is no {name}"
        held = f"; {show(visit.held)} holds" if visit.held else ""
        return f"{visit.failed} fails: {found}{held}"
    taken = "a route below takes it"
    if visit.outcome == "told":
        taken = f"to {visit.route.told}"
        if visit.route.children:
            taken += ", as no route below takes it"
        if visit.route.policy:
            first = told_of(labels, visit.route, plan).names
            taken += f", which tells {', '.join(first) or 'nobody at once'}"
        if quiet := _quiet(visit.route):
            taken += f"; {quiet}"
    if visit.unasked:
        after = "the next one is" if visit.unasked == 1 else f"the next {visit.unasked} are"
        return f"{taken}; no continue: {after} not asked"
    return taken


def reasons(visits: Sequence[Visit], labels: Mapping[str, str], plan: Plan) -> list[dict[str, Any]]:
    """The same for programs. `told` is whom a policy tells first."""
    return [
        {
            "route": visit.route.key,
            "depth": visit.depth,
            "outcome": visit.outcome,
            "held": [str(matcher) for matcher in visit.held],
            "failed": None if visit.failed is None else str(visit.failed),
            "found": None if visit.failed is None else labels.get(visit.failed.name, ""),
            "unasked": visit.unasked,
            "told": told_of(labels, visit.route, plan).names
            if visit.outcome == "told" and visit.route.policy
            else [],
            "mute_time_intervals": [one.name for one in visit.route.mute],
            "active_time_intervals": [one.name for one in visit.route.active],
        }
        for visit in visits
    ]


# --- for programs --------------------------------------------------------------------------------------


def document(root: Route, visits: Sequence[Visit]) -> dict[str, Any]:
    """The tree as JSON, keys as in a configuration; `outcome` where an alert was asked about."""
    outcomes = _outcomes(visits)

    def node(route: Route) -> dict[str, Any]:
        known = {"outcome": outcomes.get(route.key, "not asked")} if visits else {}
        return {
            "key": route.key,
            "matchers": [str(matcher) for matcher in route.matchers],
            "receiver": route.receiver or None,
            "policy": route.policy or None,
            "team": route.team or None,
            "labels": dict(route.labels),
            "mute_time_intervals": [one.name for one in route.mute],
            "active_time_intervals": [one.name for one in route.active],
            "group_by": _grouping(route),
            "group_wait": show_duration(route.group_wait),
            "group_interval": show_duration(route.group_interval),
            "repeat_interval": show_duration(route.repeat_interval),
            "continue": route.continue_,
            **known,
            "routes": [node(child) for child in route.children],
        }

    return {"route": node(root)}


def _numbered(root: Route) -> tuple[list[Route], list[tuple[int, int]]]:
    """All routes, and which of them (by number) hangs below which."""
    routes: list[Route] = []
    edges: list[tuple[int, int]] = []

    def add(route: Route) -> int:
        number = len(routes)
        routes.append(route)
        edges.extend((number, add(child)) for child in route.children)
        return number

    add(root)
    return routes, edges


def _box(route: Route) -> list[str]:
    """The lines of a route's box."""
    spans = " / ".join(span for span in _spans(route) if span)
    return [line for line in (route.told, spans, _quiet(route)) if line]


def _condition(route: Route) -> str:
    return title(route) + (" continue" if route.continue_ else "")


def dot(root: Route, visits: Sequence[Visit]) -> Iterator[str]:
    """A graph for Graphviz; the alert's way is filled."""
    routes, edges = _numbered(root)
    outcomes = _outcomes(visits)
    yield "digraph routes {"
    yield '  rankdir=LR; node [shape=box, fontname="sans-serif"]; edge [fontname="sans-serif"];'
    for number, route in enumerate(routes):
        colour = _FILLED.get(outcomes.get(route.key, ""))
        filled = f', style=filled, fillcolor="{colour}"' if colour else ""
        label = "\\n".join(map(_for_dot, _box(route)))
        yield f'  r{number} [label="{label}"{filled}];'
    for upper, lower in sorted(edges):
        yield f'  r{upper} -> r{lower} [label="{_for_dot(_condition(routes[lower]))}"];'
    yield "}"


def _for_dot(text: str) -> str:
    return out.plain(text).replace("\\", "\\\\").replace('"', '\\"')


def mermaid(root: Route, visits: Sequence[Visit]) -> Iterator[str]:
    """A mermaid flowchart, as Markdown pages draw it; the alert's way is filled."""
    routes, edges = _numbered(root)
    outcomes = _outcomes(visits)
    yield "flowchart LR"
    for number, route in enumerate(routes):
        yield f'  r{number}["{"<br>".join(map(_for_mermaid, _box(route)))}"]'
    for upper, lower in sorted(edges):
        yield f'  r{upper} -->|"{_for_mermaid(_condition(routes[lower]))}"| r{lower}'
    for number, route in enumerate(routes):
        if colour := _FILLED.get(outcomes.get(route.key, "")):
            yield f"  style r{number} fill:{colour}"


def _for_mermaid(text: str) -> str:
    return re.sub(r"[^\w .,:/=!+-]", lambda found: f"#{ord(found[0])};", out.plain(text))
