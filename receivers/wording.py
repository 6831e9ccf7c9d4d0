"""What is said of an incident, in words that receivers and templates share: title, summary, colours, times.

Each function answers one question about a message; how one value is shown is in `filters.py`, what a template
can use in `variables.py`. All times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receivers.filters import truncated
from receivers.sandbox import words
from routing.decisions import ENDED, FIRST, GROWN, PARTLY, REPEATED
from routing.severity import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from receivers.base import Message, ShownAlert
    from routing.severity import Grade

TEST: Final = "[TEST]"
_TITLE: Final = 200
_PLACES: Final = 4
_NAMED: Final = 3
_VALUE: Final = 60
_ELSEWHERE: Final = words("alertname severity")
_ROUTINE: Final = frozenset({FIRST, GROWN, PARTLY, ENDED, REPEATED})


def title(message: Message) -> str:
    """One line, at most 200 characters: `[FIRING:2] HighLatency eu-west — p99 is above 2 s`.

    A test is `[TEST] ...` and nothing else, since filters that wake people look for FIRING; so is what is
    held, `[HELD:2] ...`, and the news that somebody has it, `[ACK] ...`.
    """
    what = " ".join(part for part in (_mark(message), name(message), where(message)) if part)
    said = summary(message)
    line = f"{what} — {said}" if said and said != name(message) else what
    return truncated(line, _TITLE)


def _mark(message: Message) -> str:
    if message.test:
        return TEST
    if message.held_by:
        return f"[HELD:{message.firing}]"
    if message.status == "resolved":
        return "[RESOLVED]"
    if message.kind == "update" and message.acknowledged:
        return "[ACK ENDS]" if message.acknowledged.reminded else "[ACK]"
    return f"[FIRING:{message.firing}]"


def news(message: Message) -> str:
    """`Dana has it (Slack).`, `Step 2: nobody has it in hand.`; "" for what the rest of a message says."""
    if message.test or message.reason in _ROUTINE:
        return ""
    reason = message.reason.strip()
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def marked(message: Message, text: str) -> str:
    """`text`, which a template of the user's may have written, as a test's if it is one."""
    return f"{TEST} {text}" if message.test and TEST not in text else text


def also_held(message: Message) -> str:
    """`+ 3 more alerts are held`, beside those that the message is about; "" where there are none."""
    if not message.held or message.held_by:
        return ""
    return f"+ {message.held} more {'alert is' if message.held == 1 else 'alerts are'} held"


def name(message: Message) -> str:
    """What fires: the alert's name, or the names of the first few kinds."""
    if common := message.group_labels.get("alertname") or message.common_labels.get("alertname"):
        return common
    names = sorted({alert.labels.get("alertname", "") for alert in message.alerts} - {""})
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names)


def where(message: Message) -> str:
    """The values of the group's labels, each once; the name and the severity stand elsewhere."""
    values = [value for key, value in sorted(message.group_labels.items()) if key not in _ELSEWHERE and value]
    places = [value for value in dict.fromkeys(values) if value != name(message)]
    return " ".join(places[:_PLACES]) + (" …" if len(places) > _PLACES else "")


def summary(message: Message) -> str:
    """What is said of the whole group: the summary that all alerts share, else how many and which they are.

    One alert's text never stands for the others: at night it would send somebody to one machine of six.
    """
    if common := message.common_annotations.get("summary"):
        return common
    if len(message.alerts) > 1:
        return several(message)
    return (message.alerts[0].annotations.get("summary") if message.alerts else "") or name(message)


def several(message: Message) -> str:
    """`6 alerts: db0, db1, db2 and 3 more`, by the label that tells them apart best."""
    over = message.status == "resolved"
    told = [alert.labels for alert in message.alerts if over or alert.status == "firing"]
    count = max(message.resolved if over else message.firing, len(told))
    counted = "1 alert" if count == 1 else f"{count} alerts"
    label = _telling(message, told)
    values = list(dict.fromkeys(labels[label] for labels in told if labels.get(label)))[:_NAMED]
    if not values:
        return counted
    more = count - sum(labels.get(label, "") in values for labels in told)
    named = ", ".join(truncated(value, _VALUE) for value in values)
    return f"{counted}: {named}" + (f" and {more} more" if more else "")


def _telling(message: Message, told: Sequence[Mapping[str, str]]) -> str:
    """The label that differs: `instance` if it does, else the one with the most values; "" if none."""
    own = {key for labels in told for key, value in labels.items() if message.common_labels.get(key) != value}
    if "instance" in own:
        return "instance"
    kinds = {key: len({labels.get(key, "") for labels in told}) for key in own}
    return min(own, key=lambda key: (key in _ELSEWHERE, -kinds[key], key), default="")


def own_texts(alert: ShownAlert, message: Message) -> list[str]:
    """The alert's summary and description, each where the others do not say the same."""
    summary, description = alert.annotations.get("summary", ""), described(alert.annotations)
    texts = [
        summary if summary != message.common_annotations.get("summary") else "",
        description if description != described(message.common_annotations) else "",
    ]
    return [text for text in dict.fromkeys(texts) if text]


def described(annotations: Mapping[str, str]) -> str:
    """The longer text of an alert, or of all of them."""
    return annotations.get("description") or annotations.get("message", "")


def since(message: Message) -> int:
    """When what is burning began: the earliest start of the firing alerts shown, in milliseconds.

    At the end it is that of all alerts shown, and never after the opening: who ended and was told of before
    is not shown again. A start that is missing, or to come, does not count; without any, it is the opening.
    """
    over = message.status == "resolved"
    shown = [alert.starts_at for alert in message.alerts if over or alert.status == "firing"]
    begun = [start for start in shown if 0 < start <= message.now]
    return min([*begun, message.opened_at] if over else begun, default=message.opened_at)


def lasted(message: Message) -> int:
    """From `since` until the end, or until now: milliseconds."""
    return max(0, (message.resolved_at or message.now) - since(message))


def color(message: Message) -> str:
    """Green at the end, grey while all of it is held; else from red to blue by severity."""
    if message.status == "resolved":
        return "#1a7f37"
    return "#59636e" if message.held_by else _COLORS[grade(message)]


def grade(message: Message) -> Grade:
    """How bad it is, in the four words that services know."""
    return message.grade or USUAL.grade(message.severity)


_COLORS: Final[Mapping[Grade, str]] = {
    "critical": "#c8281e",
    "error": "#bc4c00",
    "warning": "#9a6700",
    "info": "#0969da",
}


def runbook(annotations: Mapping[str, str]) -> str:
    """The address of what to do, as it was written."""
    return annotations.get("runbook_url") or annotations.get("runbook", "")
