"""How an incident looks in Slack: the message, and the line in its thread when something must be heard again.

Builds text, blocks and attachments within Slack's limits and escapes what comes from alerts, so that nothing
in a label mentions, links or pings; posts nothing. The user's templates replace parts of the look. They see
labels and annotations already escaped, so what a template writes itself, such as `<!here>`, works and
what a label says does not.

Links are text, not buttons: a button with a link tells the app that it was pressed, and an app without an
address for that shows a warning to whoever pressed it. Rules: Slack's "Block Kit reference" (limits) and
"Formatting text for app surfaces" (escaping, mentions, dates).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from receivers import filters, variables, wording
from receivers.render import TemplateError
from receivers.slack_alerts import MAX_LINE, NO_INCIDENT, counted, listed, newest
from receivers.slack_buttons import buttons
from receivers.slack_markup import (
    MAX_SECTION,
    context,
    cut,
    escaped,
    escaped_data,
    link,
    linked,
    mentions,
    moment,
    mrkdwn,
    prose,
    section,
    usable,
)
from receivers.slack_standing import blocks, standing, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import SlackConfig
    from receivers.base import Message
    from receivers.render import Renderer
    from receivers.slack_standing import Lines
    from routing.severity import Grade

MAX_FIELDS: Final = 10
MAX_FIELD: Final = 2000
MAX_FALLBACK: Final = 1000
_MAX_TITLE: Final = 250
_LABELS: Final = 8

_EMOJI: Final[Mapping[Grade, str]] = {"critical": "🔴", "error": "🟠", "warning": "🟡", "info": "🔵"}
_ENDED: Final = "✅"
_HELD: Final = "🔕"
_TRIED: Final = "🧪"
_NAMED_COLORS: Final = {"good": "#1a7f37", "warning": "#9a6700", "danger": "#c8281e"}
_SAID_ELSEWHERE: Final = frozenset({"alertname", "severity"})


@dataclass(slots=True)
class Look:
    """What is posted. `text` is the plain fallback for notifications; `notes` go into the timeline."""

    text: str
    blocks: list[dict[str, Any]]
    attachments: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def arguments(self) -> dict[str, Any]:
        """As the arguments of `chat.postMessage`, `chat.update` and as a webhook's body."""
        return {"text": self.text, "blocks": self.blocks, "attachments": self.attachments}


def whole_message(config: SlackConfig, message: Message, renderer: Renderer, *, new: bool) -> Look:
    """The incident's message: a headline, and behind a coloured bar what fires, who has it, links and labels.

    `new` says that it is posted, not edited: then it mentions, and a repeat says that it is one (an edited
    message says it in its thread).
    """
    if message.notice:
        return _notice(message.notice)
    texts = _Texts(message, renderer)
    title = texts.text(config.title, _title(message))
    heard = new and message.kind == "ring"
    mention = _mention(config, texts) if heard else ""
    told = news(message) if new or message.held_by or message.status == "resolved" else ""
    state = ", ".join(part for part in (told, taken(message)) if part)
    headline = " ".join(
        part
        for part in (
            _emoji(message),
            f"*{wording.TEST}*" if message.test else "",
            linked(title, _title_link(config, message, texts)),
            f"— {state}" if state else "",
            mention,
        )
        if part
    )
    shown = [section(part) for part in _body(config, message, texts)]
    shown += _fields(config, texts)
    shown += [section(stands)] if (stands := standing(message)) else []
    shown += [section(links)] if (links := _links(message)) else []
    shown.append(context(_facts(config, message)))
    if below := buttons(config, message):
        shown.append(below)
    fallback = texts.text(config.fallback, _fallback(message, state))
    text = cut(wording.marked(message, fallback), MAX_FALLBACK)
    return Look(
        text=f"{mention} {text}".strip(),
        blocks=[section(headline)],
        attachments=[{"color": _color(config, message, texts), "fallback": text, "blocks": shown}],
        notes=texts.notes,
    )


def _notice(words: str) -> Look:
    title, _, rest = words.partition("\n")
    return Look(cut(escaped(title), MAX_FALLBACK), [section(f"*{escaped(title)}*\n{prose(rest)}")])


def timeline_lines(message: Message, lines: Lines) -> Look:
    """What has happened since, said quietly in the thread."""
    text = f"{_title(message)}: {escaped(filters.truncated(lines[-1][1], MAX_FALLBACK // 2))}"
    return Look(cut(text, MAX_FALLBACK), blocks(lines))


def thread_line(config: SlackConfig, message: Message, renderer: Renderer, lines: Lines = ()) -> Look:
    """What is said in the thread of the incident's message: new alerts, a repeat, the end; then `lines`."""
    texts = _Texts(message, renderer)
    mention = _mention(config, texts) if message.kind == "ring" else ""
    state = news(message) or "notified again"
    head = " ".join(part for part in (_emoji(message), f"*{_upper(state)}*", mention) if part)
    alerts = listed(message, newest(message)) if message.new_firing and message.kind == "ring" else []
    text = cut(_fallback(message, state), MAX_FALLBACK)
    shown = [section("\n".join((head, *alerts))), *blocks(lines)]
    return Look(f"{mention} {text}".strip(), shown, notes=texts.notes)


def news(message: Message) -> str:
    """What is new: "2 more alerts fire, 5 in all"; "" where the message itself is the news."""
    if message.status == "resolved":
        by_hand = message.kind == "end" and wording.news(message)
        said = escaped(message.reason) if by_hand else "resolved"
        return f"{said} after {filters.duration(wording.lasted(message))}"
    if message.held_by:
        return f"now held: {escaped(filters.truncated(message.held_by, MAX_LINE))}"
    if message.test or message.kind != "ring" or message.reason in ("", "first notification"):
        return ""
    if message.reason == "no longer held":
        return f"no longer held, {message.firing} {'alert fires' if message.firing == 1 else 'alerts fire'}"
    if message.new_firing and (message.reason == "new alerts added" or message.new_firing < message.firing):
        more = "1 more alert fires" if message.new_firing == 1 else f"{message.new_firing} more alerts fire"
        return f"{more}, {message.firing} in all"
    if message.reason == "repeat interval elapsed":
        return f"still firing after {filters.duration(wording.lasted(message))}"
    return escaped(message.reason)


class _Texts:
    """Renders one message's templates over escaped data, and collects what went wrong, each thing once."""

    def __init__(self, message: Message, renderer: Renderer) -> None:
        self._plain = message
        self._escaped: Message | None = None
        self._renderer = renderer
        self.notes: list[str] = []

    def note(self, said: str) -> None:
        if said not in self.notes:
            self.notes.append(said)

    def text(self, template: str, default: str, *, raw: bool = False) -> str:
        """`default` is text, already escaped; `raw` renders over what alerts really say."""
        if not template:
            return default
        if self._escaped is None:
            self._escaped = escaped_data(self._plain)
        try:
            return self._renderer.render(template, self._plain if raw else self._escaped).strip() or default
        except TemplateError as error:
            self.note(f"the default text was sent, because a template failed: {error}")
            return default


# --- the parts -----------------------------------------------------------------------------------------


def _title(message: Message) -> str:
    groups = [v for name, v in sorted(message.group_labels.items()) if v and name != "alertname"]
    parts = [part for part in (wording.name(message), *groups) if part]
    return escaped(filters.truncated(" · ".join(parts), _MAX_TITLE) or _number(message))


def _title_link(config: SlackConfig, message: Message, texts: _Texts) -> str:
    own = texts.text(config.title_link, "", raw=True)
    return filters.safe_url(own) or ("" if message.test else filters.safe_url(message.url))


def _fallback(message: Message, state: str) -> str:
    """`🔴 HighLatency · eu-west: p99 is above 2 s (3 firing)`: what a phone shows."""
    said = wording.summary(message)
    what = _title(message)
    known = not said or said == wording.name(message)
    counts = state or f"{message.firing} firing"
    whole = what if known else f"{what}: {escaped(filters.truncated(said, 400))}"
    if message.test:
        return f"{_emoji(message)} {wording.TEST} {whole}"
    return f"{_emoji(message)} {whole} ({counts})"


def _body(config: SlackConfig, message: Message, texts: _Texts) -> list[str]:
    own = texts.text(config.text, "")
    if own:
        return [own]
    values = variables.variables(message)
    said = values["summary"] if values["summary"] != values["name"] else ""
    paragraphs = [f"*{prose(filters.truncated(said, 500))}*"] if said else []
    if message.status == "firing" and values["description"] not in ("", said):
        paragraphs.append(prose(values["description"]))
    several = message.firing + message.resolved > 1
    lines = [counted(message), *listed(message, message.alerts)] if several and not message.test else []
    return [part for part in ("\n".join(paragraphs), "\n".join(lines)) if part] or [counted(message)]


def _number(message: Message) -> str:
    return "Test" if message.test else f"Incident #{message.incident}"


def _fields(config: SlackConfig, texts: _Texts) -> list[dict[str, Any]]:
    """The user's fields, two to a row as Slack shows them."""
    shown = []
    for one in config.fields[:MAX_FIELDS]:
        title, value = texts.text(one.title, ""), texts.text(one.value, "")
        if title or value:
            shown.append(mrkdwn(cut(f"*{title}*\n{value}" if title else value, MAX_FIELD)))
    return [{"type": "section", "fields": shown}] if shown else []


def _facts(config: SlackConfig, message: Message) -> str:
    """Small and grey: severity, since when, and the labels that all alerts share and the title lacks."""
    began = wording.since(message)
    span = f"firing since {moment(began)}"
    if message.status == "resolved":
        span = f"fired from {moment(began)} to {moment(message.resolved_at)}"
    facts = [NO_INCIDENT] if message.test else [escaped(message.severity), span, wording.also_held(message)]
    if not config.fields:
        hidden = _SAID_ELSEWHERE | message.group_labels.keys()
        common = [(k, v) for k, v in sorted(message.common_labels.items()) if v and k not in hidden]
        facts += [f"{escaped(k)}: {escaped(filters.truncated(v, 80))}" for k, v in common[:_LABELS]]
    return cut("  ·  ".join(fact for fact in facts if fact), MAX_SECTION)


def _links(message: Message) -> str:
    values = variables.variables(message)
    source = filters.safe_url(message.alerts[0].generator_url) if message.alerts else ""
    links = [
        (_number(message), "" if message.test else values["url"]),
        ("Runbook", values["runbook_url"]),
        ("Dashboard", values["dashboard_url"]),
        ("Source", source),
    ]
    return "  ·  ".join(link(url, text) for text, url in links if usable(url))


def _color(config: SlackConfig, message: Message, texts: _Texts) -> str:
    wanted = texts.text(config.color, "")
    wanted = _NAMED_COLORS.get(wanted, wanted)
    if wanted and not re.fullmatch(r"#[0-9a-fA-F]{6}", wanted):
        texts.note(
            f"color is {filters.truncated(wanted, 40)!r}; good, warning, danger or #rrggbb was expected"
        )
        wanted = ""
    return wanted or wording.color(message)


def _mention(config: SlackConfig, texts: _Texts) -> str:
    found, wrong = mentions(texts.text(config.mention, "", raw=True))
    for word in wrong:
        texts.note(
            f"mention: {filters.truncated(word, 40)!r} pings nobody; expected @here, @channel, @everyone,"
            " a user id (U...) or a user group id (S...)"
        )
    return found


def _emoji(message: Message) -> str:
    if message.test:
        return _TRIED
    if message.held_by:
        return _HELD
    return _ENDED if message.status == "resolved" else _EMOJI[wording.grade(message)]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
