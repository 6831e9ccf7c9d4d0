"""A code's page as Markdown: for `docs/findings/`, `tocsin check --explain TOC101`, and the help in SARIF."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.findings.code import Code, Example

FAMILIES: Final = {
    "1": "Routes",
    "2": "Inhibition",
    "3": "Receivers, policies, teams, severities",
    "4": "Times and groups",
    "5": "Secrets and templates",
    "6": "Against the rules that exist",
    "7": "An Alertmanager in front",
    "9": "Heartbeats",
}
_MEANING: Final = {
    "error": "An error: it does not do what is written. The check fails.",
    "warning": "A warning: it is probably not what is meant. The check fails.",
    "info": "Information: worth knowing. The check does not fail.",
}
_INDEX: Final = """\
# What `tocsin check` finds

Errors and warnings make the check fail, information does not. `tocsin check --explain TOC101` prints a page;
`--ignore` leaves out a code, or all that begin with it. How to use the check: [checking.md](../checking.md).
"""


def page(code: Code) -> str:
    """One page."""
    parts = [
        f"# {code.id}: {code.title}",
        f"`{code.name}`. {_MEANING[code.severity]}",
        f"## What it finds\n\n{_paragraph(code.found)}",
        f"## Why it is bad\n\n{_paragraph(code.bad)}",
        f"## Example\n\n{_files(code.example)}",
        f"## Use instead\n\n{_files(code.instead)}",
    ]
    return "\n\n".join(parts) + "\n"


def index(codes: Iterable[Code]) -> str:
    """The table of all pages."""
    text, family = _INDEX, ""
    for code in sorted(codes, key=lambda one: one.id):
        digit = code.id.removeprefix("TOC")[0]
        if digit != family:
            family = digit
            text += f"\n## {FAMILIES[family]}\n\n| code | name | severity | |\n|---|---|---|---|\n"
        text += f"| [{code.id}]({code.id}.md) | `{code.name}` | {code.severity} | {code.title} |\n"
    return text


def _paragraph(text: str) -> str:
    return dedent(text).strip()


def _files(example: Example) -> str:
    files = example.files()
    blocks = [f"```yaml\n{text}```" for _, text in files]
    if len(files) > 1:
        blocks = [f"In {name}:\n\n{block}" for (name, _), block in zip(files, blocks, strict=True)]
    return "\n\n".join(blocks)
