"""Matchers that are not read as they look, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.reach import one_line
from routing.satisfiable import implies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject

DISAGREEMENT: Final = Code(
    "TOC105",
    "matcher-disagreement",
    "warning",
    "A matcher that two syntaxes read differently",
    found="A matcher that both of Alertmanager's syntaxes take, the classic one and the UTF-8 one, and "
    "read differently. The classic reading counts, here and in Alertmanager.",
    bad="The same line means something else to an Alertmanager that is set to the UTF-8 syntax alone, "
    "and probably to whoever wrote it.",
    example=Example(r"""
        route:
          receiver: default
          routes:
            - matchers: ['path="C:\\\x41"']
              receiver: windows
        """),
    instead=Example(r"""
        route:
          receiver: default
          routes:
            - matchers: ['path="C:\\\\x41"']
              receiver: windows
        """),
)


def _disagreement(subject: Subject) -> Iterator[Finding]:
    yield from _doubts(subject, DISAGREEMENT, "disagreement")


CLASSIC: Final = Code(
    "TOC106",
    "matcher-classic-only",
    "info",
    "A matcher that only the classic syntax takes",
    found="A matcher that Alertmanager's UTF-8 syntax refuses, such as an unquoted value with spaces.",
    bad="It works, here and in an Alertmanager with its usual settings, which logs a warning. "
    "Alertmanager means to take the UTF-8 syntax alone some day.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [service=check out]
              receiver: shop
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: ['service="check out"']
              receiver: shop
        """),
)


def _classic(subject: Subject) -> Iterator[Finding]:
    yield from _doubts(subject, CLASSIC, "classic")


def _doubts(subject: Subject, code: Code, kind: str) -> Iterator[Finding]:
    for path, node, _, doubt in subject.matchers:
        if doubt is None or doubt.kind != kind:
            continue
        if node.filled_in:
            reason = (
                "with what a variable in it stands for, the classic and the UTF-8 syntax do not read it alike"
            )
            yield subject.finding(code, path, reason, "Put the variable into double quotes.")
            continue
        advice = f"Write {doubt.suggestion}, which both read alike."
        yield subject.finding(code, path, doubt.message, advice, offset=doubt.column - 1)


ALWAYS: Final = Code(
    "TOC107",
    "matcher-always-holds",
    "warning",
    "A matcher that every alert meets",
    found='A matcher that no alert fails, such as `team=~".*"`. A label that is missing counts as an '
    "empty one, and that meets it too.",
    bad="It looks as if it asked for the label, and takes alerts without it as well.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: ['team=~".*"']
              receiver: teams
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: ['team=~".+"']
              receiver: teams
        """),
)


def _always(subject: Subject) -> Iterator[Finding]:
    for path, node, matchers, _ in subject.matchers:
        for matcher in matchers:
            if implies([one_line(matcher.name)], [matcher]):
                what, label = ("a matcher in it", "label") if node.filled_in else (str(matcher), matcher.name)
                yield subject.finding(
                    ALWAYS,
                    path,
                    f"every alert meets {what}, also one without the label",
                    f'To ask for the label write {label}=~".+"; else leave the matcher out.',
                )


CHECKS: Final = (Check(DISAGREEMENT, _disagreement), Check(CLASSIC, _classic), Check(ALWAYS, _always))
