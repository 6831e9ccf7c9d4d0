"""The version of this distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed() -> str:
    try:
        return version("tocsin")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0+unknown"


VERSION: Final = _installed()
