"""Severities that routes forget, and words that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.problems import did_you_mean
from routing.matchers import Matcher
from routing.satisfiable import find, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path

FORGOTTEN: Final = Code(
    "TOC303",
    "severity-without-route",
    "info",
    "A severity that no route asks for",
    found="A severity of `severities` that no route asks for, while routes do ask for others.",
    bad="Its alerts go where those go that have no severity at all, which may be louder or quieter than "
    "is meant.",
    example=Example("""\
        severities: [critical, high, low]
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
            - matchers: [severity="high"]
              receiver: chat
        """),
    instead=Example("""\
        severities: [critical, high, low]
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
            - matchers: [severity=~"high|low"]
              receiver: chat
        """),
)


def _forgotten(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    asking = [
        route
        for route in subject.routes
        if any(matcher.name == severities.label for matcher in route.route.matchers)
    ]
    if not asking or subject.config.severities is None or not all(route.sure for route in asking):
        return
    for rank, name in enumerate(severities.names):
        words = [name, *(word for word, stands_for in severities.aliases.items() if stands_for == name)]
        if not any(_asks_for(route.conditions, severities.label, words) for route in asking):
            path = (*_names_path(subject), rank)
            yield subject.finding(
                FORGOTTEN,
                path,
                f"no route asks for {severities.label}={subject.name(path)}, as some do for others",
                "Add a route for it, or one matcher more to the route that should take it.",
            )


def _asks_for(conditions: Iterable[Matcher], label: str, words: Iterable[str]) -> bool:
    return any(not find([*conditions, Matcher(label, "=", word)]).never for word in words)


UNKNOWN: Final = Code(
    "TOC308",
    "severity-unknown",
    "warning",
    "A matcher for a severity that there is not",
    found="A matcher that asks for a severity that stands neither in `severities` nor among their aliases.",
    bad="It is a typing error, or alerts with this word are ranked as `severities.default` says, not as "
    "they look.",
    example=Example("""\
        severities: [critical, high, low]
        route:
          receiver: default
          routes:
            - matchers: [severity="critcal"]
              receiver: pager
        """),
    instead=Example("""\
        severities: [critical, high, low]
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
        """),
)


def _unknown(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    if subject.config.severities is None:
        return
    hidden = subject.filled_in(("severities",))
    for path, word in asked_values(subject, severities.label):
        if word and not severities.known({severities.label: word}):
            yield subject.finding(
                UNKNOWN,
                path,
                f"there is no severity {word!r}"
                + ("" if hidden else did_you_mean(word.lower(), severities.names)),
                "Correct it, or add it to severities, as one of them or among their aliases.",
            )


DEFAULT: Final = Code(
    "TOC310",
    "severity-default",
    "info",
    "What counts for an alert of unknown severity",
    found="`severities` without `default`.",
    bad="An alert without severity, or with a word that nobody knows, counts as the one in the middle. "
    "That may be right; it is better said.",
    example=Example("""\
        severities: [critical, high, medium, low]
        """),
    instead=Example("""\
        severities:
          names: [critical, high, medium, low]
          default: high
        """),
)


def _default(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    if subject.config.severities is not None and not severities.default:
        named = "" if subject.filled_in(("severities",)) else f" {severities.name(severities.rank({}))!r},"
        yield subject.finding(
            DEFAULT,
            ("severities",),
            f"an alert without a severity, or with an unknown one, counts as{named} the one in the middle",
            "Say it with default:, below names:.",
            key=True,
        )


def asked_values(subject: Subject, label: str) -> Iterator[tuple[Path, str]]:
    """The values that matchers anywhere list for a label, where no variable is among them."""
    for path, node, matchers, _ in subject.matchers:
        if node.filled_in:
            continue
        for matcher in matchers:
            if matcher.name == label:
                positive = Matcher(label, "=" if matcher.op in ("=", "!=") else "=~", matcher.value)
                for value in listed(positive) or ():
                    yield path, value


def _names_path(subject: Subject) -> Path:
    return subject.under(("severities",), "names")


CHECKS: Final = (Check(FORGOTTEN, _forgotten), Check(UNKNOWN, _unknown), Check(DEFAULT, _default))
