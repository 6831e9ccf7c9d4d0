"""The buttons below an incident's message: which there are, what each carries, and what a press of one says.

They stand where the incident can be answered and the configuration says how presses reach us. What a press
does is decided in `gateway/slack_acts.py`. Each button carries the incident's number and the delivery, which
tells the message's incident from one that got the same number after the store was lost.

Rules: Slack's "Block Kit reference" (actions, button, overflow menu, confirmation dialog). An overflow menu
has two to five options, and its options' values 75 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from receivers.filters import truncated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import SlackConfig
    from receivers.base import Message

What = Literal["ack", "resolve", "snooze", "snooze-4h", "snooze-morning", "escalate", "unack", "show"]

BLOCK: Final = "tocsin_answer"
_MORE: Final = "more"
_HOUR: Final = 3_600_000
SNOOZES: Final[Mapping[str, int]] = {"snooze": _HOUR, "snooze-4h": 4 * _HOUR}
"""How long, in milliseconds; until the morning is a question of who presses."""

_TEXTS: Final[Mapping[What, str]] = {
    "ack": "Acknowledge",
    "resolve": "Resolve",
    "snooze": "Snooze 1 h",
    "snooze-4h": "Snooze 4 h",
    "snooze-morning": "Snooze until morning",
    "escalate": "Escalate now",
    "unack": "Unacknowledge",
    "show": "Show the timeline",
}
_VALUE: Final = re.compile(
    r"([a-z0-9-]{1,20}) ([0-9]{1,15}) ([0-9]{1,15}\.[0-9]{1,9})-([0-9]{1,15}) ([0-9]{1,9})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button carries.

    Attributes:
        what: to do.
        incident: its number; `opened_at` (ms) tells it from another one of that number.
        delivery: whose message it stands below, at the delivery's ring `ring`.
    """

    what: What
    incident: int
    delivery: str
    opened_at: int
    ring: int


def buttons(config: SlackConfig, message: Message) -> dict[str, Any] | None:
    """The block of buttons, None where there is nothing to answer: a test, or an incident that is over.

    None too without a bot token: below a message that cannot be edited they would offer what is long done.
    """
    if not (config.buttons and config.has_token and message.answerable and message.status == "firing"):
        return None
    first: list[What] = ["resolve", "snooze"] if message.acknowledged else ["ack", "resolve", "snooze"]
    rest: list[What] = ["snooze-4h", "snooze-morning"]
    rest += ["escalate"] if message.escalates else []
    rest += ["unack"] if message.acknowledged else []
    menu = {
        "type": "overflow",
        "action_id": _MORE,
        "options": [_option(what, message) for what in (*rest, "show")],
    }
    elements = [*(_button(what, message) for what in first), menu]
    return {"type": "actions", "block_id": BLOCK, "elements": elements}


def pressed(action: Mapping[str, Any]) -> Pressed | None:
    """What one of a payload's `actions` carries, None for a button that is not one of these."""
    chosen = action.get("selected_option") if action.get("action_id") == _MORE else action
    value = chosen.get("value") if isinstance(chosen, dict) else None
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    if found is None or action.get("block_id") != BLOCK:
        return None
    for what in _TEXTS:
        if what == found[1]:
            return Pressed(what, int(found[2]), found[3], int(found[4]), int(found[5]))
    return None


def _button(what: What, message: Message) -> dict[str, Any]:
    button = {
        "type": "button",
        "action_id": what,
        "text": _plain(_TEXTS[what]),
        "value": _value(what, message),
    }
    if what == "ack":
        return button | {"style": "primary"}
    if what == "resolve":  # its alerts are dismissed with it: not by a thumb that slipped
        return button | {
            "confirm": {
                "title": _plain(f"Resolve #{message.incident}?"),
                "text": _plain("Its alerts are dismissed: they are told again only if they fire anew."),
                "confirm": _plain("Resolve"),
                "deny": _plain("Cancel"),
            }
        }
    return button


def _option(what: What, message: Message) -> dict[str, Any]:
    return {"text": _plain(_TEXTS[what]), "value": _value(what, message)}


def _value(what: What, message: Message) -> str:
    return truncated(f"{what} {message.incident} {message.delivery} {message.ring}", 75)


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
