"""How an incident's alerts are listed in Slack: counted, one line each, and those that are new.

Texts in Slack's notation, escaped; where they stand is decided in `slack_message.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receivers import filters, wording
from receivers.slack_markup import code, cut, escaped, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receivers.base import Message, ShownAlert

MAX_LINE: Final = 280  # ten of them fit into a section
NO_INCIDENT: Final = "a test: somebody tries this receiver, nothing is wrong"
_LINES: Final = 10


def counted(message: Message) -> str:
    if message.test:
        return f"*{NO_INCIDENT}*"
    counts = [f"{message.firing} firing{', all held' if message.held_by else ''}"] if message.firing else []
    counts += [f"{message.resolved} resolved"] if message.resolved else []
    return f"*{', '.join(counts)}*"


def listed(message: Message, alerts: Sequence[ShownAlert]) -> list[str]:
    """One line for each of the first alerts, with what tells it from the others."""
    lines = [_line(message, alert) for alert in alerts[:_LINES]]
    total = message.firing + message.resolved if alerts is message.alerts else len(alerts)
    more = total - len(lines)
    return [*lines, f"_and {more} more_"] if more > 0 else lines


def _line(message: Message, alert: ShownAlert) -> str:
    own = (f"{k}={v}" for k, v in sorted(alert.labels.items()) if message.common_labels.get(k) != v)
    what = filters.truncated(" ".join(own), 120) or alert.labels.get("alertname", "alert")
    parts = ["✓" if alert.status == "resolved" else "•", code(what)]
    said = "".join(escaped(filters.truncated(text, 100)) for text in wording.own_texts(alert, message)[:1])
    if alert.status == "resolved" and message.firing:
        parts.append("no longer reported" if alert.expired else "resolved")
        said = f"— {said}" if said else ""
    if said:
        parts.append(said)
    if alert.status == "firing" and abs(alert.starts_at - wording.since(message)) > 60_000:
        parts.append(f"since {moment(alert.starts_at)}")
    return cut(" ".join(parts), MAX_LINE)


def newest(message: Message) -> list[ShownAlert]:
    """Which alerts are new to this channel is known as a number: it is those that started last."""
    firing = [alert for alert in message.alerts if alert.status == "firing"]
    return sorted(firing, key=lambda alert: -alert.starts_at)[: message.new_firing]
