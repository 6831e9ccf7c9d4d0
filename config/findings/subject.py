"""What checks look at: a valid configuration, the document it was read from, and the plan made of it.

A check takes what it needs from here and says what it finds through `finding`, which knows the places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from config.compile import compile_plan
from config.findings.alerts import own_alert, send
from config.findings.finding import Finding
from config.findings.reach import Reach
from routing.go_strings import quote
from routing.matchers import parse_doubting, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.alertmanager import Front
    from config.compile import Plan
    from config.document import Document, Node
    from config.findings.alerts import Alerts, RuleAlert, Sent
    from config.findings.code import Code
    from config.problems import Path
    from config.schema import Config, RouteConfig
    from routing.inhibition import Rule
    from routing.matchers import Doubt, Matcher
    from routing.tree import Route

_MATCHERS: Final = frozenset({"matchers", "source_matchers", "target_matchers", "when"})


_DECIDING: Final = frozenset({"name", "severity", "team", "labels"})
"""What of a heartbeat decides whom its alert tells."""


class Subject:
    """A valid configuration under examination.

    Attributes:
        document: the file as nodes that know their place.
        config: what the file says.
        without_env: secrets are not at hand: variables without a value are no mistake, nor are missing files.
        now: milliseconds; what is over by then comes no more.
        rule_alerts: those of the rule files that were given; None if none were.
        front: the Alertmanager in front, if its file was given.
    """

    def __init__(
        self,
        document: Document,
        config: Config,
        *,
        without_env: bool = False,
        now: int = 0,
        alerts: Alerts | None = None,
        front: Front | None = None,
    ) -> None:
        self.document = document
        self.config = config
        self.without_env = without_env
        self.now = now
        self.rule_alerts = alerts
        self.front = front

    @cached_property
    def plan(self) -> Plan:
        """The plan that the service would work on."""
        return compile_plan(self.config)

    @cached_property
    def alerts(self) -> Alerts | None:
        """Those that are routed: what rules make but for beats, and what says that a beat is missing."""
        heartbeats = tuple(self.plan.heartbeats)
        if self.rule_alerts is None or not heartbeats:
            return self.rule_alerts
        asked = tuple(one.matchers for one in heartbeats if one.matchers)
        placed = ((("heartbeats", at), one) for at, one in enumerate(heartbeats))
        own = [
            own_alert(one.labels, path, self.document.problem(path, ""))
            for path, one in placed
            if not any(
                self.filled_in((*path, key)) for key in self.document.at(path).entries if key in _DECIDING
            )
        ]
        return self.rule_alerts.routed(asked, own)

    @cached_property
    def routes(self) -> tuple[PlacedRoute, ...]:
        """Every route with its place, parents before children, in the order written."""
        root = PlacedRoute(("route",), self.config.route, self.plan.root, None, 0, sure=True)
        return tuple(self._walk(root))

    @cached_property
    def rules(self) -> tuple[PlacedRule, ...]:
        """The inhibition rules whose matchers are known, with their places."""
        every = enumerate(self.plan.inhibition.rules)
        placed = (PlacedRule(at, rule, ("inhibit_rules", at)) for at, rule in every)
        return tuple(one for one in placed if not self.stands_in(one.path))

    @cached_property
    def reach(self) -> Reach:
        """Which alerts reach which of the routes."""
        return Reach(self.routes)

    @cached_property
    def sent(self) -> tuple[Sent, ...]:
        """Where the alerts of the rule files go."""
        return send(self.alerts, self.routes) if self.alerts else ()

    def meeting(self, matchers: Sequence[Matcher]) -> Sequence[RuleAlert]:
        """The alerts of the rule files that may meet the matchers."""
        return self._prepared.meeting(matchers) if self._prepared else ()

    @cached_property
    def _prepared(self) -> Alerts | None:
        """The alerts, told what they will be asked."""
        rules = self.plan.inhibition.rules
        asked = [matcher for placed in self.routes for matcher in placed.route.matchers]
        asked += [matcher for rule in rules for matcher in (*rule.source, *rule.target)]
        if self.alerts:
            self.alerts.expect(asked)
        return self.alerts

    @cached_property
    def matchers(self) -> tuple[WrittenMatchers, ...]:
        """Every text of matchers in the document, of routes and of whatever else has matchers."""
        return tuple(
            WrittenMatchers(path, node, *parse_doubting(node.text))
            for path, node in self.document.walk()
            if len(path) > 1 and path[-2] in _MATCHERS and isinstance(path[-1], int)
            if node.kind == "text" and not node.stands_in
        )

    def below(self, top: PlacedRoute) -> Iterator[PlacedRoute]:
        """A route and all below it, in the order written."""
        start = self._positions[top]
        for route in self.routes[start:]:
            if len(route.lineage) <= len(top.lineage) and route is not top:
                return
            yield route

    @cached_property
    def _positions(self) -> dict[PlacedRoute, int]:
        return {route: at for at, route in enumerate(self.routes)}

    def _walk(self, placed: PlacedRoute) -> Iterator[PlacedRoute]:
        yield placed
        sections, routes = placed.section.routes, placed.route.children
        for position, (section, route) in enumerate(zip(sections, routes, strict=True)):
            path = (*placed.path, "routes", position)
            sure = placed.sure and not self._doubtful(path)
            yield from self._walk(PlacedRoute(path, section, route, placed, position, sure=sure))

    def _doubtful(self, path: Path) -> bool:
        """Whether a variable without value decides which alerts the route at `path` takes."""
        entries = self.document.at(path).entries
        deciding = ("matchers", "match", "match_re", "continue")
        return any(self.stands_in((*path, key)) for key in deciding if key in entries)

    def finding(
        self, code: Code, path: Path, reason: str, advice: str, *, key: bool = False, offset: int = 0
    ) -> Finding:
        """A finding about what stands at `path`; with `key`, about the key there; `offset` characters in."""
        problem = self.document.problem(path, reason, key=key, offset=offset)
        return Finding(
            problem.file, problem.line, problem.column, problem.path, code.id, reason, advice, code
        )

    def line(self, path: Path) -> int:
        """The line in which what stands at `path` begins."""
        return self.document.at(path).line

    def filled_in(self, path: Path) -> bool:
        """Whether a variable stands at or below `path`, so that no value from there may be shown."""
        return any(node.filled_in or node.stands_in for _, node in self.document.at(path).walk())

    def name(self, path: Path) -> str:
        """The name that stands at `path`, quoted, with variables as they are written."""
        return repr(self.document.at(path).written)

    def stands_in(self, path: Path) -> bool:
        """Whether a variable without value stands at or below `path`, so that nobody knows what is there."""
        return any(node.stands_in for _, node in self.document.at(path).walk())

    def under(self, path: Path, key: str) -> Path:
        """The path of a key of what stands at `path`, or, if it is not written, `path` itself."""
        return (*path, key) if key in self.document.at(path).entries else path

    def labels(self, labels: Mapping[str, str]) -> str:
        """Labels for people, as an alert would have them: `{alertname="Down", team="db"}`."""
        return "{" + ", ".join(f"{name}={quote(value)}" for name, value in sorted(labels.items())) + "}"

    def asks(self, placed: PlacedRoute) -> str:
        """What a route's own matchers ask, for people: `{severity="critical"}`; variables by name."""
        entries = self.document.at(placed.path).entries
        nodes = [entries[key][1] for key in ("matchers", "match", "match_re") if key in entries]
        if any(node.filled_in for top in nodes for _, node in top.walk()):
            return "whose matchers hold variables"
        return show(placed.route.matchers)


class PlacedRule(NamedTuple):
    """An inhibition rule of the plan, and where it is written."""

    position: int
    rule: Rule
    path: Path


class WrittenMatchers(NamedTuple):
    """One text of matchers: where it stands, what it says, and what two syntaxes do not read alike in it."""

    path: Path
    node: Node
    matchers: tuple[Matcher, ...]
    doubt: Doubt | None


@dataclass(frozen=True, eq=False)
class PlacedRoute:
    """A route of the plan, and where it is written.

    Attributes:
        path: of its section in the document.
        section: what is written there; `route` has what is inherited filled in.
        position: among its siblings.
        sure: no variable without value decides which alerts it, or a route above it, takes.
    """

    path: Path
    section: RouteConfig
    route: Route
    parent: PlacedRoute | None
    position: int
    sure: bool

    @cached_property
    def lineage(self) -> tuple[PlacedRoute, ...]:
        """The route and those above it, the root first."""
        return (*(self.parent.lineage if self.parent else ()), self)

    @cached_property
    def conditions(self) -> tuple[Matcher, ...]:
        """All that an alert must meet to come here, its siblings left aside: own matchers and those above."""
        return tuple(dict.fromkeys(matcher for one in self.lineage for matcher in one.route.matchers))
