"""Who runs the command, by the name that the machine knows."""

from __future__ import annotations

import getpass


def whoami() -> str:
    """The name of the user; "" for one without, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
