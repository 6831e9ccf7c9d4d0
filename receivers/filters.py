"""How one value is shown: a time, a duration, an address, a line of text that comes from outside.

Template filters of ours and what receivers share; knows nothing of incidents. Which words a message has is in
`wording.py`, Slack's notation in `slack_markup.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def safe_url(url: str) -> str:
    """`url` if it is one that a message may link to (http or https, nothing hidden in it), else ""."""
    return url if re.fullmatch(r"https?://[^\s<>\"'`\x00-\x20\x7f]+", url, re.IGNORECASE) else ""


def duration(milliseconds: int) -> str:
    """The two largest units: `3d 4h`, `1h 5m`, `5m`, `45s`, `0s`."""
    seconds = max(0, int(milliseconds)) // 1000
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def clock(milliseconds: int, pattern: str = "%H:%M:%S UTC") -> str:
    """`14:05:00 UTC`; "" for 0, which means "not yet"."""
    return (
        datetime.fromtimestamp(int(milliseconds) / 1000, UTC).strftime(pattern[:100]) if milliseconds else ""
    )


def moment(milliseconds: int) -> str:
    """`2026-11-24 14:05 UTC`."""
    return clock(milliseconds, "%Y-%m-%d %H:%M UTC")


def iso(milliseconds: int) -> str:
    """`2026-11-24T14:05:00Z`."""
    return clock(milliseconds, "%Y-%m-%dT%H:%M:%SZ")


def slack(text: Any) -> str:
    """Escaped for Slack's mrkdwn: nothing in it can mention, link or ping."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def truncated(text: str, length: int) -> str:
    """One line of at most `length` characters: no control characters or line ends, cut with an ellipsis."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


FILTERS: Final = {
    "duration": duration,
    "time": clock,
    "datetime": moment,
    "iso": iso,
    "slack": slack,
    "url": lambda text: safe_url(str(text)),
}
"""The filters of ours, beside Jinja2's own that `sandbox.py` lists."""
