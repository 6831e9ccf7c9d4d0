"""The kinds of receivers. A new one is a module with `create`, one line here, and its `traits.py`.

A module is imported when the configuration first uses it: nobody pays for a service that is not theirs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from receivers.base import ReceiverModule

MODULES: Final = {
    "pagerduty": "receivers.pagerduty",
    "slack": "receivers.slack",
    "email": "receivers.email",
    "webhook": "receivers.webhook",
}


@cache
def module(kind: str) -> ReceiverModule:
    """The module that serves `kind`, one of the keys of `MODULES`."""
    return cast("ReceiverModule", import_module(MODULES[kind]))
