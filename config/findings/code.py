"""What is written about one kind of finding: its code, how bad it is, and the page that explains it.

The page stands beside the code that finds it, always in the same form: what is found, why it is bad, an
example, what to use instead. From it come `docs/findings/`, `tocsin check --explain` and the help in SARIF;
the tests run the example (it must be found) and what to use instead (which must be silent), so that a page
cannot lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Example:
    """Files that belong together: parts of a tocsin.yaml, and where a check needs them, of others.

    What the configuration leaves out (the root route, receivers that are only named) is filled in by the
    tests that run it.
    """

    config: str = ""
    rules: str = ""  # a Prometheus rule file
    alertmanager: str = ""  # the alertmanager.yml of an Alertmanager in front

    def files(self) -> tuple[tuple[str, str], ...]:
        """(what it is, its text) of each file that there is."""
        named = (
            ("tocsin.yaml", self.config),
            ("a Prometheus rule file", self.rules),
            ("the alertmanager.yml in front", self.alertmanager),
        )
        return tuple((name, dedent(text).strip("\n") + "\n") for name, text in named if text)


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding and its page.

    Attributes:
        id: `TOC`, the family's digit, two more digits. Never given to another kind later.
        name: the same in words, for people who ignore it: `route-hidden`.
        severity: `error`: it does not do what is written; `warning`: it is probably not what is meant;
            `info`: worth knowing. The first two make the check fail.
        title: the page's heading.
        found, bad: one paragraph each, Markdown: what is found, and why it is bad.
        example: what has it.
        instead: the same without it.
    """

    id: str
    name: str
    severity: Severity
    title: str
    found: str
    bad: str
    example: Example
    instead: Example
