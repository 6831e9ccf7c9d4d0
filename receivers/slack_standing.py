"""How an incident stands, for Slack: who has it in hand, what comes next, and the lines of its timeline.

Words in Slack's notation, escaped; `slack_message.py` puts them into the message, `slack_telling.py` puts
lines into its thread. Times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receivers import filters
from receivers.slack_markup import MAX_SECTION, clock, cut, escaped, moment, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receivers.base import Message

_SOON: Final = 12 * 3_600_000  # the time of day alone says which day
_MAX_NAME: Final = 80
_MAX_NEXT: Final = 200
_MAX_LINE: Final = 400

Lines = tuple[tuple[int, str], ...]


def taken(message: Message) -> str:
    """`acknowledged by Dana`; "" while nobody has it in hand, and once it is over."""
    if message.acknowledged is None or message.status != "firing":
        return ""
    return f"acknowledged by {_name(message.acknowledged.by)}"


def standing(message: Message) -> str:
    """One or two lines: who has it, since and until when; what comes next. "" once it is over."""
    if message.status != "firing":
        return ""
    lines = []
    if ack := message.acknowledged:
        until = f", until {_at(ack.until, message.now)}" if ack.until else ""
        via = f" ({escaped(filters.truncated(ack.via, _MAX_NAME))})" if ack.via else ""
        lines.append(f"✋ *{_name(ack.by)}* has it since {_at(ack.at, message.now)}{via}{until}")
    if message.upcoming:
        when = f" at {_at(message.upcoming_at, message.now)}" if message.upcoming_at else ""
        lines.append(f"Next: {escaped(filters.truncated(message.upcoming, _MAX_NEXT))}{when}")
    return "\n".join(lines)


def unwritten(history: Lines, at: int, count: int) -> Lines:
    """The lines that a thread lacks which ends with the `count`-th line of the moment `at`."""
    same = [line for line in history if line[0] == at]
    return (*same[count:], *(line for line in history if line[0] > at))


def mark(history: Lines) -> tuple[int, int]:
    """How far a thread has come that holds these lines: see `unwritten`."""
    at = max((at for at, _ in history), default=0)
    return at, sum(one == at for one, _ in history)


def blocks(lines: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """Sections of lines, each within Slack's limit."""
    texts: list[str] = []
    for at, said in lines:
        line = cut(f"{clock(at)} {escaped(filters.truncated(said, _MAX_LINE))}", MAX_SECTION)
        if texts and len(texts[-1]) + len(line) < MAX_SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [section(text) for text in texts]


def _at(at: int, now: int) -> str:
    return clock(at) if abs(at - now) < _SOON else moment(at)


def _name(name: str) -> str:
    return escaped(filters.truncated(name, _MAX_NAME))
