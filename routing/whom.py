"""The lines of a timeline that say who was told: whom they name, and which of them are news to people.

Names and addresses are as they stand in the configuration; who shows the words escapes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

BY: Final[Mapping[str, str]] = {
    "pagerduty": "PagerDuty",
    "slack": "Slack",
    "email": "mail",
    "webhook": "a webhook",
}
BROUGHT_UP_TO_DATE: Final = "message brought up to date"
"""So begins a line that says that a message was changed without a sound."""


def is_news(line: Mapping[str, Any]) -> bool:
    """Whether people need the line: that a message was brought up to date they see where they read it."""
    return not str(line.get("text")).startswith(BROUGHT_UP_TO_DATE)


def whom(kind: str, receiver: str, where: str, person: str) -> str:
    """Whom a delivery tells and by what: `dana by Slack`, `#ops (on-call) by Slack`.

    `where` is its target as it is shown: `slack:#ops`, or mail addresses.
    """
    if person:
        return f"{person} by {BY[kind]}"
    who = receiver.rpartition(": ")[0] if receiver.startswith("team ") else receiver
    if kind == "slack" and where.startswith("slack:"):
        return f"{where.removeprefix('slack:')} ({who or receiver}) by Slack"
    address = f" ({where})" if kind == "email" else ""
    return f"{who or receiver} by {BY[kind]}{address}"


def said_when(line: Mapping[str, Any]) -> tuple[int, str]:
    """A line of a timeline for people: when (ms), and what, with whom it concerns."""
    target = line.get("target")
    return int(line["at"]), f"{line['text']}: {target}" if target else str(line["text"])
