"""How bad an alert is: a rank from 0 (worst) to 4, taken from its `severity` label.

Ranks order deliveries when a target is short of room, and name the worst alert of an incident. A value
that nobody knows ranks in the middle: neither the last to be sent nor ahead of a critical page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL: Final = "severity"
RANKS: Final = 5
NAMES: Final = ("critical", "high", "medium", "low", "info")

_RANK: Final = {
    "critical": 0, "emergency": 0, "fatal": 0, "page": 0, "disaster": 0,
    "high": 1, "error": 1, "major": 1,
    "medium": 2, "warning": 2, "minor": 2,
    "low": 3, "notice": 3,
    "info": 4, "none": 4, "debug": 4,
}  # fmt: skip
_UNKNOWN: Final = 2


def rank(labels: Mapping[str, str]) -> int:
    """0 (worst) to 4; an unknown or missing severity is 2."""
    return _RANK.get(labels.get(LABEL, "").lower(), _UNKNOWN)
