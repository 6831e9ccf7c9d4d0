"""Which texts of an integration are templates, and whether Jinja2 can read one of them.

A broken template would first be seen in a page, at night, where the default text stands in for it. This looks
at the syntax only: `receivers/render.py` compiles and renders, and knows the variables and filters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

TEMPLATED: Final[Mapping[str, frozenset[str]]] = {
    "pagerduty_configs": frozenset(
        {"client", "client_url", "description", "severity", "details", "images", "links"}
        | {"source", "class", "component", "group"}
    ),
    "slack_configs": frozenset({"title", "title_link", "text", "color", "fallback", "fields", "mention"}),
    "email_configs": frozenset({"html", "text", "subject", "headers"}),
}
_MARKS: Final = ("{{", "{%", "{#")


class Broken(NamedTuple):
    """Where in a template, counted in lines from 1 (0: nowhere in particular), and what Jinja2 says of it."""

    line: int
    said: str


def broken(text: str) -> Broken | None:
    """What is wrong with a template, if anything is."""
    if not any(mark in text for mark in _MARKS):
        return None
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 - most configurations have no templates

    try:
        _environment().parse(text)
    except TemplateSyntaxError as error:
        return Broken(error.lineno, (error.message or "it cannot be read").rstrip("."))
    except Exception:  # noqa: BLE001 - Python has several errors for what is nested too deeply
        return Broken(0, "it is nested too deeply")
    return None


@lru_cache
def _environment() -> Environment:
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
