"""How an incident looks as an event of PagerDuty's Events API v2.

Builds the event and keeps it within the documented limits; sends nothing. What the user's templates give
comes first; everything has a default that is good to read on a phone at night. Rules: PagerDuty's "Send an
alert event" (fields, lengths) and "Common Event Format" (what each field means).

An incident whose alerts are all held is neither acknowledged nor resolved over there: a trigger under the key
of what is open makes no sound. Should somebody have resolved that by hand, the trigger opens it anew, so it
goes with the severity `info`, for which a service with urgencies by severity wakes nobody.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from receivers import filters, variables, wording
from receivers.render import TemplateError
from routing.severity import USUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.schema import PagerDutyConfig
    from receivers.base import Message, ShownAlert
    from receivers.render import Renderer
    from routing.severity import Grade

MAX_EVENT_BYTES: Final = 512 * 1024
MAX_SUMMARY: Final = 1024
MAX_DEDUP_KEY: Final = 255
_HELD: Final = "[held] "
_ROOM_FOR_KEY: Final = 256  # the routing key is added when the event is sent
_MAX_FIELD: Final = 1024  # no limit is documented for the short fields
_MAX_LINE: Final = 1000
_MAX_LINKS: Final = 20
_ALERTS: Final = 20

_SOURCES: Final = ("instance", "host", "node", "pod", "cluster", "namespace", "service", "job")


def build_event(config: PagerDutyConfig, message: Message, renderer: Renderer) -> tuple[dict[str, Any], str]:
    """The event without its routing key, and a note ("" if nothing had to be changed or left out)."""
    key = message.dedup_key[:MAX_DEDUP_KEY]
    if message.kind == "end":
        return {"event_action": "resolve", "dedup_key": key}, ""
    texts = _Texts(message, renderer)
    event: dict[str, Any] = {
        "event_action": "trigger",
        "dedup_key": key,
        "client": texts.line(config.client, "Tocsin"),
        "client_url": texts.line(config.client_url, filters.safe_url(message.url)),
        "payload": _payload(config, message, texts),
        "links": _links(config, message, texts),
        "images": _images(config, texts),
    }
    event = {name: value for name, value in event.items() if value}
    texts.note(_fit(event))
    return event, "; ".join(texts.notes)


class _Texts:
    """Renders one message's templates and collects what went wrong, each thing once."""

    def __init__(self, message: Message, renderer: Renderer) -> None:
        self._message = message
        self._renderer = renderer
        self.notes: list[str] = []

    def note(self, said: str) -> None:
        if said and said not in self.notes:
            self.notes.append(said)

    def text(self, template: str, default: str) -> str:
        """`default` is text, not a template: it holds what labels say, and that is never compiled."""
        if template:
            try:
                return self._renderer.render(template, self._message).strip()
            except TemplateError as error:
                self.note(f"the default text was sent, because a template failed: {error}")
        return default

    def line(self, template: str, default: str, limit: int = _MAX_FIELD) -> str:
        return filters.truncated(self.text(template, default), limit)


def _payload(config: PagerDutyConfig, message: Message, texts: _Texts) -> dict[str, Any]:
    summary = texts.line(config.description, _summary(message), MAX_SUMMARY)
    label = message.common_labels.get
    held = _HELD if message.held_by else ""
    payload = {
        "summary": wording.marked(message, held + (summary or _summary(message)))[:MAX_SUMMARY],
        "source": texts.line(config.source, _source(message)) or "Tocsin",
        "severity": _severity(texts.line(config.severity, ""), message),
        "timestamp": filters.iso(wording.since(message)),
        "component": texts.line(config.component, label("service") or label("job") or ""),
        "group": texts.line(config.group, label("cluster") or label("namespace") or ""),
        "class": texts.line(config.class_, wording.name(message)),
        "custom_details": _details(config, message, texts),
    }
    return {name: value for name, value in payload.items() if value}


def _severity(said: str, message: Message) -> Grade:
    """PagerDuty's word for the severity: the message's, or what a template says instead; info while held."""
    if message.held_by:
        return "info"
    said = said.strip()
    return wording.grade(message) if said in ("", message.severity) else USUAL.grade(said)


def _summary(message: Message) -> str:
    """`HighLatency eu-west: p99 is above 2 s (3 alerts)`: what a phone reads out."""
    groups = [v for name, v in sorted(message.group_labels.items()) if v and name != "alertname"]
    what = " ".join(part for part in (wording.name(message), *groups) if part) or _number(message)
    said = wording.summary(message)
    counted = said == wording.several(message)
    several = f" ({message.firing} alerts)" if message.firing > 1 and not (counted or message.test) else ""
    room = MAX_SUMMARY - len(several) - len("[TEST] ")
    return filters.truncated(f"{what}: {said}" if said and said not in what else what, room) + several


def _number(message: Message) -> str:
    return "Test" if message.test else f"Incident #{message.incident}"


def _source(message: Message) -> str:
    found = (message.common_labels.get(name) for name in _SOURCES)
    return next(filter(None, found), message.external_url)


def _details(config: PagerDutyConfig, message: Message, texts: _Texts) -> dict[str, Any]:
    shown = message.alerts[:_ALERTS]
    more = message.firing + message.resolved - len(shown)
    alerts = [_alert(alert, message) for alert in shown] + ([f"and {more} more"] if more > 0 else [])
    details: dict[str, Any] = {
        "incident": "" if message.test else f"#{message.incident} {message.url}".strip(),
        "status": _status(message),
        "held": message.held_by or wording.also_held(message),
        "severity": message.severity,
        "description": _common(message, ("description", "message")),
        "runbook": _common(message, ("runbook_url", "runbook")),
        "labels": {name: value[:_MAX_LINE] for name, value in sorted(message.common_labels.items())},
        "alerts": [] if message.test else alerts,
    }
    details |= {name: texts.text(template, "") for name, template in config.details.items()}
    return {name: value for name, value in details.items() if value}


def _status(message: Message) -> str:
    if message.test:
        return "a test: somebody tries this receiver, nothing is wrong"
    return f"{message.firing} firing" + (f", {message.resolved} resolved" if message.resolved else "")


def _common(message: Message, names: Sequence[str]) -> str:
    alone = message.alerts[0].annotations if len(message.alerts) == 1 else {}
    for name in names:
        if value := message.common_annotations.get(name) or alone.get(name):
            return value[: 10 * _MAX_LINE]
    return ""


def _alert(alert: ShownAlert, message: Message) -> str:
    """`firing since 14:05:00 UTC: instance=web-1: 7 % of requests fail`; a description if it is its own."""
    own = (f"{k}={v}" for k, v in sorted(alert.labels.items()) if message.common_labels.get(k) != v)
    told = dict.fromkeys((alert.annotations.get("summary", ""), *wording.own_texts(alert, message)))
    since = alert.ends_at if alert.status == "resolved" else alert.starts_at
    parts = (f"{alert.status} since {filters.clock(since)}", " ".join(own), *told)
    return filters.truncated(": ".join(part for part in parts if part), _MAX_LINE)


def _links(config: PagerDutyConfig, message: Message, texts: _Texts) -> list[dict[str, str]]:
    values = variables.variables(message)
    source = message.alerts[0].generator_url if message.alerts else ""
    ours = [
        ("" if message.test else values["url"], _number(message)),
        (values["runbook_url"], "Runbook"),
        (values["dashboard_url"], "Dashboard"),
        (filters.safe_url(source), "Source"),
    ]
    theirs = [(texts.line(link.href, ""), texts.line(link.text, "")) for link in config.links]
    links = [{"href": href, "text": text or href} for href, text in (*theirs, *ours) if href]
    return links[:_MAX_LINKS]


def _images(config: PagerDutyConfig, texts: _Texts) -> list[dict[str, str]]:
    images = []
    for image in config.images:
        src = texts.line(image.src, "")
        if not src.startswith("https://"):
            texts.note("an image was left out: PagerDuty shows images from https:// addresses only")
            continue
        shown = {"src": src, "href": texts.line(image.href, ""), "alt": texts.line(image.alt, "")}
        images.append({name: value for name, value in shown.items() if value})
    return images[:_MAX_LINKS]


def _fit(event: dict[str, Any]) -> str:
    """Make the event fit by cutting, then dropping, the largest of its details; the note names them."""
    room = MAX_EVENT_BYTES - _ROOM_FOR_KEY
    if _size(event) <= room:
        return ""
    details = event["payload"]["custom_details"]
    changed: list[str] = []
    for name in sorted(details, key=lambda name: -_size(details[name])):
        value = details[name]
        if isinstance(value, str) and len(value) > _MAX_LINE:
            details[name] = value[: _MAX_LINE - 1] + "…"
        else:
            del details[name]
        changed.append(name)
        if _size(event) <= room:
            break
    else:
        event["payload"].pop("custom_details")
    shown = filters.truncated(", ".join(changed), 200)
    return f"the event was larger than 512 KB; these details were cut or left out: {shown}"


def _size(value: Any) -> int:
    return len(json.dumps(value))
