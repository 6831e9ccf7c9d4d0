"""Templates and what they can use: the texts of every receiver are made here.

Renders Jinja2 in the sandbox of `sandbox.py`, within a second and 262,144 characters. Labels and annotations
are data: they are never compiled. A template that fails costs its own look, never the page: `render_or`
falls back to the default text and says so. It does not escape for a service beyond HTML; Slack's own
escaping is a filter.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import TemplateSyntaxError, meta
from markupsafe import escape

from receivers.budget import limited, printed
from receivers.filters import FILTERS, truncated
from receivers.sandbox import Sandbox
from receivers.variables import Variables, variables
from receivers.wording import title

if TYPE_CHECKING:
    from jinja2 import Template

    from receivers.base import Message

SECONDS: Final = 1.0
MAX_SOURCE: Final = 65_536
_CACHED: Final = 512

_GO = re.compile(
    r"\{\{-?\s*(?:[.$]|(?:template|range|end|if|else|with|define|block)\b(?!\())|\{\{[^{}]*\s\.[A-Z]"
)
_VARIABLES: Final = frozenset(Variables.__annotations__)
_TEMPLATES: Final = Path(__file__).parent / "templates"


class TemplateError(Exception):
    """A template cannot be compiled or rendered. The message tells its author the line and what to do."""


@lru_cache
def default_text(name: str) -> str:
    """The source of a default text, such as `mail.txt`: `receivers/templates/<name>.j2`."""
    return (_TEMPLATES / f"{name}.j2").read_text(encoding="utf-8")


class Renderer:
    """Compiles templates once and renders them. Safe to use from several threads.

    Rendering takes well under a millisecond for a sane template and up to `seconds` for a hostile one, so a
    receiver calls it with `asyncio.to_thread`.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._environments = {html: Sandbox(html=html, filters=FILTERS) for html in (False, True)}
        self._compiled = lru_cache(maxsize=_CACHED)(self._compile)

    def render(self, template: str, message: Message, *, html: bool = False) -> str:
        """The text of `template` for `message`; with `html`, what is printed is escaped for HTML.

        Raises:
            TemplateError: it cannot be compiled, failed, or wanted more time or room than it gets.
        """
        if "{" not in template:
            return template
        return self._run(self._compiled(template, html), variables(message))

    def render_or(
        self, template: str, default: str, message: Message, *, html: bool = False
    ) -> tuple[str, str]:
        """The text, and a note for the incident's timeline ("" if all went well).

        `default` is a template too, one of ours; it is used where `template` is empty or fails.
        """
        note = ""
        if template:
            try:
                return self.render(template, message, html=html), ""
            except TemplateError as error:
                note = f"the default text was sent, because a template failed: {error}"
        try:
            return self.render(default, message, html=html), note
        except TemplateError as error:  # labels that fill pages, or a machine that stands still
            bare = f"{title(message)}\n{message.answer_url or message.url}"
            failed = f"a short text was sent, because the default text failed: {error}"
            return escape(bare) if html else bare, f"{note}; {failed}" if note else failed

    def check(self, template: str, *, html: bool = False) -> None:
        """Compile only: what can be known to be wrong before there is a message.

        Raises:
            TemplateError: as `render`, for syntax, Go templates, unknown variables and filters.
        """
        self._compiled(template, html)

    def _compile(self, source: str, html: bool) -> Template:  # noqa: FBT001 - lru_cache's key
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"it is longer than {MAX_SOURCE:,} characters")
        if found := _GO.search(source):
            raise TemplateError(
                f"line {source.count(chr(10), 0, found.start()) + 1}: this looks like a Go template "
                f"({truncated(source[found.start() :], 40)}); Jinja2 is expected here: write "
                "{{ common_labels.alertname }} for {{ .CommonLabels.alertname }}, "
                "{% for alert in alerts %} for {{ range .Alerts }}"
            )
        environment = self._environments[html]
        try:
            used = meta.find_undeclared_variables(environment.parse(source))
            template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise TemplateError(f"line {error.lineno}: {error.message}") from error
        except Exception as error:  # Jinja2 and Python's compiler each have their own for "too deep"
            raise TemplateError("it cannot be compiled: it is nested too deeply") from error
        if unknown := used - _VARIABLES - set(environment.globals):
            raise TemplateError(_unknown(min(unknown)))
        return template

    def _run(self, template: Template, values: Variables) -> str:
        try:
            with limited(self._seconds):
                return printed(template.root_render_func(template.new_context(dict(values))))
        except Exception as error:  # whatever an expression of a stranger can raise
            raise TemplateError(_explained(template, error)) from error


def _explained(template: Template, error: Exception) -> str:
    line, trace = 0, error.__traceback__  # the innermost frame that is the template's own
    while trace is not None:
        if trace.tb_frame.f_globals.get("environment") is template.environment:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    what = "it calls itself without end" if isinstance(error, RecursionError) else truncated(str(error), 300)
    return f"line {line}: {what}" if line else what


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, _VARIABLES, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(_VARIABLES))}"
    return f"there is no variable {name!r}; {hint}"
