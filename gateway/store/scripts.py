"""The Lua scripts, each one atomic step: put together from their files, called by hash.

A script's source is the clock, then the fragments it needs, then its own file. Tests hand in another
clock and a guard; nothing else differs between them and the service.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from gateway.store.calls import Argument, Calls

_FRAGMENTS: Final = {
    "ingest": ("keys", "alert", "group"),
    "claim": ("keys", "alert", "group", "delivery"),
    "commit": ("keys", "alert", "group", "delivery"),
    "begin": ("keys", "alert", "delivery"),
    "sent": ("keys", "alert", "group", "delivery"),
    "renew": ("keys",),
    "release": ("keys",),
    "sweep": ("keys", "alert", "group", "delivery"),
    "plan": ("keys",),
    "revive": ("keys", "delivery"),
    "link": ("keys",),
    "kept": (),
    "mark": ("keys", "alert", "group"),
    "weigh": ("keys", "alert", "group", "delivery"),
    "walk": ("keys",),
    "sources": ("keys", "alert"),
    "heartbeats": ("keys",),
    "pagerduty": ("keys",),
    "hurry": ("keys", "alert", "group"),
    "view": ("keys", "alert", "group"),
    "time": (),
}


@cache
def source(name: str) -> str:
    """The text of one Lua file of this package."""
    return files("gateway.store").joinpath(f"{name}.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Script:
    """One script: its name, its whole text, and the hash by which Redis knows it."""

    name: str
    text: str
    sha: str

    async def __call__(self, calls: Calls, prefix: str, *args: Argument) -> Any:
        """Runs it for the shard with `prefix`; loads it where the server does not know it."""
        try:
            return await calls("EVALSHA", self.sha, 1, prefix, *args)
        except NoScriptError:
            return await calls("EVAL", self.text, 1, prefix, *args)


def load(name: str, preamble: str | None = None) -> Script:
    """The script `name`, after `preamble` instead of the real clock where one is given."""
    parts = [
        preamble if preamble is not None else source("clock"),
        *map(source, _FRAGMENTS[name]),
        source(name),
    ]
    text = "\n".join(parts)
    return Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def load_all(preamble: str | None = None) -> dict[str, Script]:
    """Every script by its name."""
    return {name: load(name, preamble) for name in _FRAGMENTS}
