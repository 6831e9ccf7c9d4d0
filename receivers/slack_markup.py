"""Slack's own notation: blocks of mrkdwn, escaping, links, dates and mentions, each within its limit.

Everything that comes from an alert passes `escaped` (or `prose`, `code`) on its way into a text. Which parts
a message has is decided in `slack_message.py`. Rules: Slack's "Block Kit reference" (limits) and "Formatting
text for app surfaces" (escaping, mentions, dates).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from receivers import filters
from receivers.filters import slack as escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receivers.base import Message

__all__ = [
    "MAX_SECTION",
    "clock",
    "code",
    "context",
    "cut",
    "escaped",
    "escaped_data",
    "link",
    "linked",
    "mentions",
    "moment",
    "mrkdwn",
    "prose",
    "section",
    "usable",
]

MAX_SECTION: Final = 3000
_MAX_TITLE: Final = 500
_MAX_PROSE: Final = 1500
_MAX_LINK: Final = 1500

_URL: Final = re.compile(r"https?://[^\s<>|`]*[^\s<>|`.,;:!?)\]'\"]")
_GROUPS: Final = re.compile(r"[@!]?(here|channel|everyone)")
_USERS: Final = re.compile(r"@?([UW][A-Z0-9]{5,})(?:\|.*)?")
_USERGROUPS: Final = re.compile(r"(?:!subteam\^|@)?(S[A-Z0-9]{5,})(?:\|.*)?")


def mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: else Slack itself looks for names, and "@channel" in a label would ping.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(cut(text, MAX_SECTION))}


def context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [mrkdwn(text)]}


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, never inside an escape, a link or a mention."""
    if len(text) <= limit:
        return text
    return re.sub(r"(?:&[a-z]{0,4}|<[^>]*)$", "", text[: limit - 1]).rstrip() + "…"


def prose(text: str) -> str:
    """Escaped, with its addresses made into links (`verbatim` leaves them plain)."""
    return _URL.sub(lambda found: f"<{found[0]}>", escaped(_shortened(text, _MAX_PROSE)))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def code(text: str) -> str:
    return f"`{escaped(text).replace('`', chr(0x2B9))}`"


def usable(url: str) -> bool:
    return bool(url) and len(url) <= _MAX_LINK and "|" not in url


def link(url: str, text: str) -> str:
    return f"<{escaped(url)}|{text}>"


def linked(title: str, url: str) -> str:
    """A bold headline; one that holds a mention or a link of its own cannot be a link."""
    line = cut(" ".join(title.split()), _MAX_TITLE)
    plain = not re.search(r"[<>|]", line)
    return f"*{link(url, line)}*" if plain and usable(url) else f"*{line}*"


def moment(milliseconds: int) -> str:
    """In the reader's own time zone; the part behind the bar is for clients that cannot."""
    return f"<!date^{milliseconds // 1000}^{{date_short_pretty}} {{time}}|{filters.moment(milliseconds)}>"


def clock(milliseconds: int) -> str:
    """The time of day, in the reader's own zone."""
    return f"<!date^{milliseconds // 1000}^{{time_secs}}|{filters.clock(milliseconds)}>"


def mentions(said: str) -> tuple[str, list[str]]:
    """What `mention:` says in Slack's notation, and the words of it that are no group and no id.

    Nothing else can ping, so a template that puts a label here can ping no more than who the label names.
    """
    found, wrong = [], []
    for word in re.split(r"[\s,]+", said):
        name = word.strip("<>")
        if match := _GROUPS.fullmatch(name):
            found.append(f"<!{match[1]}>")
        elif match := _USERS.fullmatch(name):
            found.append(f"<@{match[1]}>")
        elif match := _USERGROUPS.fullmatch(name):
            found.append(f"<!subteam^{match[1]}>")
        elif name:
            wrong.append(name)
    return " ".join(found), wrong


def escaped_data(message: Message) -> Message:
    """The message for a user's template: what alerts and people say is escaped, and only it can ping."""

    def clean(values: Mapping[str, str]) -> dict[str, str]:
        return {escaped(name): escaped(value) for name, value in values.items()}

    alerts = [
        replace(
            alert,
            labels=clean(alert.labels),
            annotations=clean(alert.annotations),
            generator_url=escaped(alert.generator_url),
        )
        for alert in message.alerts
    ]
    ack = message.acknowledged
    return replace(
        message,
        alerts=alerts,
        acknowledged=replace(ack, by=escaped(ack.by), via=escaped(ack.via)) if ack else None,
        upcoming=escaped(message.upcoming),
        history=tuple((at, escaped(said)) for at, said in message.history),
        group_labels=clean(message.group_labels),
        common_labels=clean(message.common_labels),
        common_annotations=clean(message.common_annotations),
        route_labels=clean(message.route_labels),
        route=escaped(message.route),
        receiver=escaped(message.receiver),
        severity=escaped(message.severity),
        held_by=escaped(message.held_by),
    )
