"""Whether Slack sent a request: its signature over the raw body, and not long ago.

Rules: Slack's "Verifying requests from Slack", version 0. A request that is sent a second time within the
window has a good signature too; `slack_in.py` sees to that.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW_S: Final = 300
TIMESTAMP: Final = "X-Slack-Request-Timestamp"
SIGNATURE: Final = "X-Slack-Signature"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """As the header has it: `v0=` and hexadecimal digits."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, sha256).hexdigest()


def refusal(secrets: Iterable[str], timestamp: str, given: str, body: bytes, now: float) -> str:
    """Why this is no request of Slack's, "" if it is one. `now` is in seconds.

    Every secret is tried, in constant time.
    """
    if not timestamp or not given:
        return "it is not signed"
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return "its time cannot be read"
    if abs(now - int(timestamp)) > WINDOW_S:
        return f"its time is more than {WINDOW_S} s away from ours"
    sent = given.encode(errors="surrogateescape")
    matches = [hmac.compare_digest(signature(one, timestamp, body).encode(), sent) for one in secrets]
    return "" if any(matches) else "its signature is wrong"
