"""Signs of life that Tocsin gives others: addresses that are called again and again while it really works.

Whoever is called raises the alarm when the calls stay away, so a call must mean something: the engine has
claimed and swept in the last seconds, the store answers, a configuration is in force. Else nothing is sent.
Each process calls by itself, and each address has its own time: one that hangs delays no other.

An address is a secret and stands in no line of the log; its host does.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import aiohttp
import structlog
from yarl import URL

from config.secret import SecretError, reveal
from gateway import metrics
from gateway.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from config.heartbeats import BeatConfig

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0  # at the configuration, which a reload may change
AGAIN_S: Final = 10.0  # after what did not work, where that is sooner than the next one
_REDIRECTS: Final = 3


class Beats:
    """One process's calls."""

    def __init__(
        self, addresses: Callable[[], Sequence[BeatConfig]], why_not: Callable[[], Awaitable[str]]
    ) -> None:
        """`addresses` are asked for again and again; `why_not` says why we do not work, "" if we do."""
        self._addresses = addresses
        self._why_not = why_not
        self._next: dict[BeatConfig, float] = {}  # when, by the loop's clock
        self._calls: dict[BeatConfig, asyncio.Task[None]] = {}
        self._last: dict[BeatConfig, str] = {}  # what came of the last one: a change is logged

    async def run(self) -> None:
        """Calls until cancelled."""
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": f"Tocsin/{VERSION}"}
        ) as session:
            try:
                while True:
                    pause = self._begin(session)
                    await asyncio.sleep(pause)
            finally:
                calls = list(self._calls.values())
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
                self._calls.clear()  # one that had not begun has not taken itself out

    def _begin(self, session: aiohttp.ClientSession) -> float:
        """Begins what is due; in how many seconds something may be due again."""
        now = asyncio.get_running_loop().time()
        addresses = self._addresses()
        self._next = {beat: self._next.get(beat, now) for beat in addresses}
        for beat in addresses:
            if self._next[beat] <= now and beat not in self._calls:
                self._next[beat] = now + beat.every / 1_000
                self._calls[beat] = asyncio.create_task(self._call(session, beat))
        return max(0.001, min([LOOK_EVERY_S, *(at - now for at in self._next.values() if at > now)]))

    async def _call(self, session: aiohttp.ClientSession, beat: BeatConfig) -> None:
        try:
            await self._call_once(session, beat)
        except Exception:
            log.exception("beats.call_failed")  # a bug, which must not keep us from the next one
        finally:
            del self._calls[beat]

    async def _call_once(self, session: aiohttp.ClientSession, beat: BeatConfig) -> None:
        outcome, host = "failed", "unknown"
        if why := await self._why_not():
            outcome = "withheld"
        else:
            try:
                url = URL(reveal(beat.url, beat.url_file))
                host = url.host or host
                why = await _get(session, url, beat.timeout / 1_000)
            except SecretError as error:
                why = str(error)
            except ValueError:
                why = "it is no web address"
            outcome = "failed" if why else "sent"
        metrics.beats_sent.labels(outcome).inc()
        if outcome != "sent" and beat in self._next:
            soon = asyncio.get_running_loop().time() + AGAIN_S
            self._next[beat] = min(self._next[beat], soon)
        if self._last.get(beat) != outcome:
            self._last[beat] = outcome
            (log.info if outcome == "sent" else log.warning)(f"beats.{outcome}", host=host, reason=why)


async def _get(session: aiohttp.ClientSession, url: URL, timeout_s: float) -> str:
    """Calls the address; why it did not take it, "" if it did."""
    limits = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with session.get(url, timeout=limits, max_redirects=_REDIRECTS) as answer:
            return "" if answer.ok else f"it answered {answer.status}"
    except TimeoutError:
        return f"it did not answer within {timeout_s:g} s"
    except (aiohttp.ClientError, OSError) as error:  # whose texts may show the address
        number = getattr(error, "errno", None) or getattr(getattr(error, "os_error", None), "errno", None)
        return os.strerror(number).lower() if number and number > 0 else type(error).__name__
