"""Words that are typed in Slack: how they are read, and how they are shown where they make no sense."""

from __future__ import annotations

from typing import Final

from pydantic_core import PydanticCustomError

from config.values import parse_duration
from receivers.filters import slack as escaped
from receivers.filters import truncated

LONGEST: Final = 366 * 86_400_000


class NotUnderstoodError(Exception):
    """What was typed makes no sense; the message says what was expected, in Slack's notation."""


def duration(word: str) -> int:
    """Milliseconds, more than none and at most a year. Raises `NotUnderstoodError`."""
    try:
        length = parse_duration(word)
    except PydanticCustomError:
        length = 0
    if length <= 0:
        raise NotUnderstoodError(f"Expected for how long, such as `30m`, `4h` or `2d`; got `{shown(word)}`.")
    if length > LONGEST:
        raise NotUnderstoodError(f"`{shown(word)}` is longer than a year; expected a shorter time.")
    return length


def shown(word: str) -> str:
    """What was typed, so that it can neither ping nor break the line."""
    return escaped(truncated(word, 60)).replace("`", "'") or " "
