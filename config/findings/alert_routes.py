"""Where alerts of Prometheus' rules go: what only the default takes, what waits in vain, what is misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.alerts import named
from config.findings.check import Check
from config.findings.code import Code, Example
from config.problems import did_you_mean, show_path
from routing.matchers import Matcher, parse_matchers
from routing.satisfiable import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.alerts import Spread
    from config.findings.finding import Finding
    from config.findings.subject import PlacedRoute, Subject
    from config.problems import Path

MAX_COMPARED: Final = 20_000  # words that one check compares with others to find near ones
MAX_SHOWN: Final = 6

_RULES: Final = """
    groups:
      - name: database
        rules:
          - alert: DiskFull
            expr: disk_free_bytes{job="node"} < 1e9
            labels: {severity: critical, team: database}
    """

DEFAULT: Final = Code(
    "TOC601",
    "alert-only-default",
    "warning",
    "An alert that only the default route takes",
    found="A rule whose alerts certainly reach the root route and no other, although there are others.",
    bad="The root takes what nobody thought of. Whoever looks there may not be who should be woken.",
    example=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [severity="high"]
              receiver: pager
        """,
        rules=_RULES,
    ),
    instead=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [severity=~"critical|high"]
              receiver: pager
        """,
        rules=_RULES,
    ),
)


def _default(subject: Subject) -> Iterator[Finding]:
    root = subject.routes[0]
    if not root.route.children:
        return
    told = f"policy {root.route.policy!r}" if root.route.policy else f"receiver {root.route.receiver!r}"
    for sent in subject.sent:
        if sent.only(root):
            labels = sent.alert.known()
            shown = subject.labels(labels) if labels else "which sets no label"
            yield sent.alert.finding(
                DEFAULT,
                f"the alert {sent.alert.name}, {shown}, reaches only the default route ({told})",
                "Give it a label that a route asks for, or add a route that takes it.",
            )


VALUE: Final = Code(
    "TOC602",
    "matcher-value-unset",
    "warning",
    "A matcher for a value that no rule sets",
    found="A matcher, of a route or of an inhibition rule, that asks for a value which no rule gives to its "
    "alerts, although rules set this label: to other values. Values that only metrics could bring are "
    "reported where the value looks like a misspelt one.",
    bad="It is probably a typing error, here or in the rule: the alerts that are meant go elsewhere.",
    example=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [team="databse"]
              receiver: database
            - matchers: [severity="critical"]
              receiver: pager
        """,
        rules=_RULES,
    ),
    instead=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [team="database"]
              receiver: database
        """,
        rules=_RULES,
    ),
)


def _value(subject: Subject) -> Iterator[Finding]:
    alerts = subject.alerts
    if alerts is None or not alerts.all:
        return
    budget = MAX_COMPARED
    for path, matcher in asked(subject):
        if _said_elsewhere(subject, matcher.name) or path[0] == "heartbeats":
            continue
        spread = alerts.spread(matcher.name)
        missing, suspicious = _missing(matcher, spread)
        if matcher.name == "alertname" or spread.unknown >= sum(spread.known.values()):
            suspicious = False  # what no alert has, TOC603 and TOC609 say; what metrics bring, nobody knows
        for value in missing:
            near = ""
            if budget > 0:
                budget -= len(spread.known)
                near = did_you_mean(value, spread.known)
            if near or suspicious:
                said = f"no rule sets {matcher.name}={value!r}{_but(spread)}"
                if matcher.name == "alertname":
                    said = f"there is no rule {value!r}"
                advice = f"Correct it here or in the rule{_doubt(spread)}."
                yield subject.finding(VALUE, path, said + near, advice)


def asked(subject: Subject) -> Iterator[tuple[Path, Matcher]]:
    """Every matcher in the document that is known and of which no variable hides a part."""
    keys = ("matchers", "source_matchers", "target_matchers")
    old = {"match": "=", "source_match": "=", "target_match": "=", "match_re": "=~"}
    old |= {"source_match_re": "=~", "target_match_re": "=~"}
    for path, node in subject.document.walk():
        if node.kind != "text" or len(path) < 2 or node.filled_in or node.stands_in:
            continue
        if path[-2] in keys and isinstance(path[-1], int):
            for matcher in parse_matchers(node.text):
                yield path, matcher
        elif path[-2] in old and path[0] in ("route", "inhibit_rules"):
            yield path, Matcher(str(path[-1]), "=" if old[str(path[-2])] == "=" else "=~", node.text)


def _said_elsewhere(subject: Subject, label: str) -> bool:
    """Whether TOC308 or TOC312 judges the words of this label by the configuration's own list."""
    severities = subject.config.severities is not None and label == subject.plan.severities.label
    return severities or (label == "team" and bool(subject.config.teams))


def _missing(matcher: Matcher, spread: Spread) -> tuple[list[str], bool]:
    """The values that the matcher lists and no alert is known to have, and whether that alone is suspicious.

    One that is excluded, or one among others that there are, may be there for what is to come.
    """
    negative = matcher.op in ("!=", "!~")
    regex = matcher.op in ("=~", "!~")
    values = listed(Matcher(matcher.name, "=~" if regex else "=", matcher.value)) or ()
    missing = [value for value in values if value and value not in spread.known]
    return missing, not negative and len(missing) == len(values)


def _but(spread: Spread) -> str:
    values = sorted(spread.known, key=lambda value: (-spread.known[value], value))
    shown = ", ".join(values[:MAX_SHOWN])
    more = f" and {len(values) - MAX_SHOWN} more" if len(values) > MAX_SHOWN else ""
    return f"; they set {shown}{more}"


def _doubt(spread: Spread) -> str:
    if not spread.unknown:
        return ""
    return f"; it is right if the metrics of {spread.unknown} rule{'s' * (spread.unknown > 1)} bring it"


WITHOUT: Final = Code(
    "TOC603",
    "route-without-alert",
    "warning",
    "A route that no rule's alerts can reach",
    found="A route to which no alert of the given rules can come, whatever their metrics are.",
    bad="Whoever is told here waits in vain: a rule or its label is missing, or the route is a leftover.",
    example=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [alertname="BackupFailed"]
              receiver: database
            - matchers: [severity="critical"]
              receiver: pager
        """,
        rules=_RULES,
    ),
    instead=Example(
        """\
        route:
          receiver: default
          routes:
            - matchers: [alertname="DiskFull"]
              receiver: database
        """,
        rules=_RULES,
    ),
)


def _without(subject: Subject) -> Iterator[Finding]:
    alerts = subject.alerts
    if alerts is None or not alerts.all:
        return
    reached = {above for sent in subject.sent for placed, _ in sent.routes for above in placed.lineage}
    typos = {finding.path for finding in _value(subject)}
    for placed in subject.routes:
        if placed in reached or not placed.sure or placed.parent not in reached:
            continue
        if any(show_path(path) in typos for path in _matchers_of(subject, placed)):
            continue
        count = len(alerts.all)
        rules = f"the {count} alerting rules" if count > 1 else "the one alerting rule"
        yield subject.finding(
            WITHOUT,
            placed.path,
            f"no alert of {rules} can come here{_because(subject, placed)}",
            "Take the route out, or give a rule the labels that it asks for.",
        )


def _matchers_of(subject: Subject, placed: PlacedRoute) -> Iterator[Path]:
    for key in ("matchers", "match", "match_re"):
        entry = subject.document.at(placed.path).entries.get(key)
        if entry is None:
            continue
        yield from ((*placed.path, key, at) for at in range(len(entry[1].items)))
        yield from ((*placed.path, key, name) for name in entry[1].entries)


def _because(subject: Subject, placed: PlacedRoute) -> str:
    """Which matcher none of them meets, or who is asked before."""
    if subject.filled_in(placed.path):
        return ""
    for matcher in placed.route.matchers:
        if not subject.meeting([matcher]):
            return f": none has {matcher}"
    met = subject.meeting(placed.conditions)
    return f": {named(met)} would, but an earlier route takes them" if met else ""


CHECKS: Final = (Check(DEFAULT, _default), Check(VALUE, _value), Check(WITHOUT, _without))
