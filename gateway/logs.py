"""How the service logs: events with fields, as JSON or for a terminal, on standard error.

Log a decision as `log.info("incident.triggered", incident=1042)`, with `log = structlog.get_logger()`. What
libraries log (from WARNING on) goes the same way. Secrets are `SecretStr` and never logged; hiding what looks
like one, here, is the second line of defence. What came from outside cannot steer a terminal or fake a line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

Form = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

OURS: Final = ("gateway", "receivers", "config")
HIDDEN: Final = "***"
MULTILINE: Final = frozenset({"exception", "last_lines"})  # ours to lay out; everything else is one line

_SECRET_FIELD: Final = re.compile(
    r"authorization|cookie|password|passwd|secret|token|routing_key|service_key|api_key|api_url|credentials",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = re.compile(
    r"""
      (?P<userinfo> :// [^\s/@:]* : ) [^\s/@]+ (?=@)              # scheme://user:PASSWORD@host
    | (?P<scheme> \b (?: bearer | basic ) \s+ ) [\w.~+/=-]{8,}    # Authorization: Bearer TOKEN
    | (?P<slack> \b (?: xox[abeprs] | xapp )- ) [\w-]+            # Slack's tokens
    | (?P<hook> /services/ ) [\w-]+ / [\w-]+ / [\w-]+             # Slack's incoming webhooks
    | (?P<beat> /heartbeat/ [\w.-]+ / ) [^\s/?\#"']+                # a heartbeat's token in its path
    | (?P<link> /link/ ) [\w.~%-]+                                # a link in a mail
    | (?P<query> [?&] (?: token | ticket | key | secret | password | sig ) = ) [^\s&"']+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_IN_LINES: Final = re.compile(_CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f"))


def configure(level: Level = "info", form: Form = "auto") -> None:
    """Log from now on at `level`, in `form`; `auto` is `console` on a terminal and `json` elsewhere.

    Only a program's start calls this. It may be called again; the last call holds.
    """
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console, key="time"),
        structlog.processors.format_exc_info,  # never a formatter that shows local variables
        hide_secrets,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(console=console),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a full disk or a closed pipe must not stop a page
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )


def _renderers(*, console: bool) -> list[Processor]:
    if not console:
        return [structlog.processors.JSONRenderer(serializer=_to_json)]
    return [
        show_controls,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            timestamp_key="time",
            pad_event_to=28,
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _to_json(event: Any, **_options: Any) -> str:
    return json.dumps(event, default=str)


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of fields with telling names, and what looks like a secret within texts."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if value and _SECRET_FIELD.search(key) and isinstance(value, (str, bytes, dict, list, tuple)):
        return HIDDEN
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {name: _hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden("", inner) for inner in value]
    if isinstance(value, BaseException):
        return hide(str(value))
    return value


def hide(text: str) -> str:
    """`text` without what looks like a secret in it: passwords in URLs, tokens, Slack's webhook paths."""
    return _SECRET_TEXT.sub(lambda found: (found[found.lastgroup] if found.lastgroup else "") + HIDDEN, text)


def show_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Draw control characters as signs, so that a label's value cannot move the cursor or fake a line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = (_CONTROL_IN_LINES if key in MULTILINE else _CONTROL).sub(_sign, value)
        elif isinstance(value, (dict, list)):
            event[key] = json.dumps(value, default=str)
    return event


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
