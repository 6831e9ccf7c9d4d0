"""Routes that no alert ever comes to, and what in a route has no effect."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from routing.satisfiable import clash
from routing.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.findings.finding import Finding
    from config.findings.subject import PlacedRoute, Subject

MAX_PAIRS: Final = 500  # of routes of which it is asked whether both take an alert

CONTRADICTORY: Final = Code(
    "TOC101",
    "route-contradictory",
    "error",
    "A route whose matchers exclude each other",
    found="A route that asks for what no alert can have: two of its matchers, or one of its own and one "
    "of a route above it, contradict each other on the same label.",
    bad="Nothing ever comes here, or to the routes below. Whoever was meant to be told is not, and it "
    "looks as if they were.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [team="backend"]
              receiver: backend
              routes:
                - matchers: [team="database", severity="critical"]
                  receiver: database-pager
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [team="backend"]
              receiver: backend
            - matchers: [team="database"]
              receiver: database
              routes:
                - matchers: [severity="critical"]
                  receiver: database-pager
        """),
)


def _contradictory(subject: Subject) -> Iterator[Finding]:
    for route in _first(subject):
        if subject.reach.of(route).hidden_by:
            continue
        clashing = clash(route.conditions)
        above = {matcher: one for one in route.lineage[:-1] for matcher in one.route.matchers}
        places = dict.fromkeys(subject.line(above[one].path) for one in clashing if one in above)
        if clashing and not any(subject.filled_in(one.path) for one in (route, *above.values())):
            said = [
                f"{one}, of the route in line {subject.line(above[one].path)}," if one in above else str(one)
                for one in clashing
            ]
            reason = f"no alert can come here: {' and '.join(said)} exclude each other"
        else:
            reason = "no alert can come here: its matchers, with those above, exclude each other"
        if places:
            advice = f"Move it out of the route in line {next(iter(places))}, or correct one of the matchers."
        else:
            label = clashing[0].name if clashing else "label"
            advice = f'Correct one of them; for either of two values write {label}=~"one|other".'
        yield subject.finding(CONTRADICTORY, _place(subject, route), reason, advice)


HIDDEN: Final = Code(
    "TOC102",
    "route-hidden",
    "error",
    "A route that earlier ones hide",
    found="A route to which no alert comes, because each that would is taken by an earlier route without "
    "`continue: true`: one beside it, or one beside a route above it. (Labels with line breaks in them "
    "are not thought of.)",
    bad="The first route that matches ends the search. Whoever is named here is never told, though every "
    "matcher is right.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity=~"critical|high"]
              receiver: pager
            - matchers: [severity="critical", team="database"]
              receiver: database-pager
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical", team="database"]
              receiver: database-pager
            - matchers: [severity=~"critical|high"]
              receiver: pager
        """),
)


def _hidden(subject: Subject) -> Iterator[Finding]:
    for route in _first(subject):
        hiders = subject.reach.of(route).hidden_by
        if not hiders:
            continue
        if len(hiders) == 1:
            asks = f", {subject.asks(hiders[0])}," if hiders[0].route.matchers else ", which has no matchers,"
            who = f"the route in line {subject.line(hiders[0].path)}{asks} takes all that could come here"
            other = "that route"
        else:
            lines = [str(subject.line(one.path)) for one in hiders]
            who = f"the routes in lines {', '.join(lines[:-1])} and {lines[-1]} take all that could come here"
            other = "those routes"
        yield subject.finding(
            HIDDEN,
            _place(subject, route),
            f"no alert ever comes here: {who}",
            f"Move it above {other}, or write continue: true there if both should be told.",
        )


TWO_INCIDENTS: Final = Code(
    "TOC103",
    "route-two-incidents",
    "warning",
    "One alert that opens two incidents",
    found="Two routes with policies that both take the same alert, because the first of them, or one "
    "above it, says `continue: true`.",
    bad="Each policy has an incident of its own and calls its own people. Whoever acknowledges one is "
    "still rung for the other.",
    example=Example("""\
        route:
          receiver: default
          group_by: [alertname]
          routes:
            - matchers: [severity="critical"]
              policy: page
              continue: true
            - matchers: [team="database"]
              policy: database
        escalation_policies:
          - name: page
            steps: [{notify: [{receiver: pager}]}]
          - name: database
            steps: [{notify: [{receiver: database-pager}]}]
        """),
    instead=Example("""\
        route:
          receiver: default
          group_by: [alertname]
          routes:
            - matchers: [severity="critical"]
              receiver: chat
              continue: true
            - matchers: [team="database"]
              policy: database
        escalation_policies:
          - name: database
            steps: [{notify: [{receiver: database-pager}]}]
        """),
)


def _two_incidents(subject: Subject) -> Iterator[Finding]:
    if not subject.plan.policies or not all(route.sure for route in subject.routes):
        return
    tree = Tree(subject.plan.root)
    left = MAX_PAIRS
    for going_on in (route for route in subject.routes if route.route.continue_):
        pairs = product(_following(subject, [going_on]), _following(subject, subject.reach.next_to(going_on)))
        for first, second in islice(pairs, max(left, 0)):
            left -= 1
            labels = _taken_by_both(subject, first, second)
            if labels is None or sum(bool(route.policy) for route in tree.match(labels)) < 2:
                continue
            such = f" such as {subject.labels(labels)}"
            one, other = f"the policy {first.route.policy!r}", repr(second.route.policy)
            if _shows_variables(subject, first, second):
                such, one, other = "", "a policy", "another"
            yield subject.finding(
                TWO_INCIDENTS,
                (*going_on.path, "continue"),
                f"an alert{such} opens two incidents: with {one} here, and with"
                f" {other} by the route in line {subject.line(second.path)}",
                "Take continue out, or let one of the two routes tell a receiver instead.",
                key=True,
            )
            break


def _following(subject: Subject, above: Iterable[PlacedRoute]) -> list[PlacedRoute]:
    """The routes with a policy at or below some."""
    return [one for top in above for one in subject.below(top) if one.route.policy]


def _taken_by_both(subject: Subject, first: PlacedRoute, second: PlacedRoute) -> Mapping[str, str] | None:
    meeting = dict.fromkeys((*first.conditions, *second.conditions))
    reach = subject.reach
    avoiding = [
        hider for one in (first, second) for hider in (*reach.hiders(one), *reach.takers(one, meeting))
    ]
    return reach.search(meeting, avoiding).answer.labels


def _shows_variables(subject: Subject, *routes: PlacedRoute) -> bool:
    return any(subject.filled_in(one.path) for route in routes for one in route.lineage[1:])


CONTINUES_TO_NOTHING: Final = Code(
    "TOC104",
    "route-continues-to-nothing",
    "info",
    "A continue that has no effect",
    found="`continue: true` in the last of several routes side by side: there is no next one to go on with.",
    bad="It does nothing. Either a route is missing after it, or it stands in the wrong place: "
    "`continue` goes on with the next route beside it, never with the route above.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
              continue: true
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
              continue: true
            - receiver: chat
        """),
)


def _continues_to_nothing(subject: Subject) -> Iterator[Finding]:
    for route in subject.routes:
        parent = route.parent
        if parent and route.route.continue_ and route.position == len(parent.route.children) - 1:
            yield subject.finding(
                CONTINUES_TO_NOTHING,
                (*route.path, "continue"),
                "no route follows that could be asked too",
                "Take continue out, or put the route after it that should be told as well.",
                key=True,
            )


def _first(subject: Subject) -> Iterator[PlacedRoute]:
    """The routes that no alert comes to, without those below them."""
    for route in subject.routes:
        if route.parent is None or not route.sure or not subject.reach.of(route).never:
            continue
        if not subject.reach.of(route.parent).never:
            yield route


def _place(subject: Subject, route: PlacedRoute) -> tuple[str | int, ...]:
    """Where the route's matchers stand, or the route itself."""
    entries = subject.document.at(route.path).entries
    key = next((key for key in ("matchers", "match", "match_re") if key in entries), None)
    return (*route.path, key) if key else route.path


CHECKS: Final = (
    Check(CONTRADICTORY, _contradictory),
    Check(HIDDEN, _hidden),
    Check(TWO_INCIDENTS, _two_incidents),
    Check(CONTINUES_TO_NOTHING, _continues_to_nothing),
)
