"""How long a service asks to be left alone: the `Retry-After` of its answer (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_MS: Final = 3_600_000
"""No header keeps a page waiting for longer than an hour."""


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Milliseconds to wait; None if there is no such header, or none that makes sense.

    `headers` finds names in any case. A date is read against the answer's own `Date`, so no clock is needed.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]) * 1000, LONGEST_MS)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("Date", ""))
        return min(max(0, int((until - now).total_seconds() * 1000)), LONGEST_MS)
    except (ValueError, TypeError):  # no date, or only one of the two has a time zone
        return None
