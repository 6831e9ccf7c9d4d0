"""The calendars that schedules name: read again and again, by one process for all, and kept in Redis.

A calendar that cannot be read any more counts as it was read last, also after a restart; its state says so.
An address is asked with a limit of time and of size, and stands in no log and no error: it may be a secret.
What a calendar says is understood by `ical.py`. Times are milliseconds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout

from gateway import ical, metrics
from gateway.ical import MAX_BYTES, CalendarError, Read
from gateway.named_calendars import AHEAD, DAY, PAST, State, calendars_of, file_text, users_of
from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.schedules import Calendar
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.oncall import Span

log = structlog.get_logger()

EVERY: Final = 300_000
FILE_EVERY: Final = 30_000
LOOK_S: Final = 5.0
TIMEOUT_S: Final = 20.0
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class _Known:
    """What was understood of a text; it is looked at anew each day, and under another configuration."""

    text: str
    asked: tuple[int, str]
    read: Read


class Calendars:
    """One process's copies of the calendars, and its turns at reading them."""

    def __init__(self, store: Store, plan: PlanInForce) -> None:
        self._store = store
        self._plan = plan
        self._version = -1
        self._texts: dict[str, str] = {}
        self._known: dict[Calendar, _Known] = {}

    def named(self) -> list[tuple[str, Calendar]]:
        """The calendars of the plan in force, with their schedules' names."""
        return calendars_of(self._plan.last.config.schedules)

    def spans(self, calendar: Calendar) -> tuple[Span, ...]:
        """What it said when it was read last, from `PAST` ago to `AHEAD`; nothing where that never was."""
        known = self._known.get(calendar)
        return known.read.spans if known else ()

    async def keep_up(self) -> bool:
        """Takes over what was read by others; whether that changes anything.

        Raises:
            StoreUnavailableError: Redis cannot be asked now; what was known stays.
        """
        named = {calendar for _, calendar in self.named()}
        if not named:
            return False
        version = int(await self._store.read("GET", keys.version(keys.CALENDARS)) or 0)
        if version != self._version:
            self._texts = await self._store.read("HGETALL", keys.shared(keys.CALENDARS))
            self._version = version
        day = await self._store.now() // DAY
        asked = day, self._plan.last.digest
        known: dict[Calendar, _Known] = {}
        for calendar in named:
            old, text = self._known.get(calendar), self._texts.get(calendar.id)
            if text is None or (old and (old.text, old.asked) == (text, asked)):
                known |= {calendar: old} if old else {}
                continue
            users = users_of(self._plan.last.config.users)
            read = await asyncio.to_thread(_understood, text, calendar, day * DAY, users)
            known[calendar] = _Known(text, asked, read or (old.read if old else Read(())))
        changed = known != self._known
        self._known = known
        return changed

    async def states(self) -> list[State]:
        """How it stands with each calendar. Raises `StoreUnavailableError`."""
        named = self.named()
        found = await self._states({calendar.id for _, calendar in named})
        return [
            State(
                name,
                one,
                **found.get(one.id, {}),
                unknown=self._known[one].read.unknown if one in self._known else (),
            )
            for name, one in named
        ]

    async def _states(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        asked = list(ids)
        texts = await self._store.together(("HGET", keys.CALENDAR_STATES, one) for one in asked)
        return {one: orjson.loads(text) for one, text in zip(asked, texts, strict=True) if text}

    # --- reading them ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Reads what is due, until cancelled."""
        async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_S), trust_env=True) as session:
            while True:
                try:
                    await self.look(session)
                except StoreUnavailableError as error:
                    log.warning("calendars.store_away", error=str(error))
                await asyncio.sleep(LOOK_S)

    async def look(self, session: ClientSession) -> None:
        """Reads the calendars that are due, if no other process does. Raises `StoreUnavailableError`."""
        different = {calendar.id: (name, calendar) for name, calendar in self.named()}
        await asyncio.gather(*(self._take_turn(session, *one) for one in different.values()))
        self._measure(list((await self._states(different)).values()), await self._store.now())

    async def _take_turn(self, session: ClientSession, schedule: str, calendar: Calendar) -> None:
        every = EVERY if calendar.url else FILE_EVERY
        if not await self._store.write("SET", keys.calendar_turn(calendar.id), "1", "NX", "PX", every):
            return
        before = (await self._states([calendar.id])).get(calendar.id, {})
        now = await self._store.now()
        try:
            text = await _text(session, calendar)
            users = users_of(self._plan.last.config.users)
            await asyncio.to_thread(ical.read, text, calendar, now - PAST, now + AHEAD, users)
            await self._keep(calendar, text, now)
            after = {"read_at": now, "tried_at": now, "error": ""}
        except CalendarError as error:
            after = {"read_at": before.get("read_at", 0), "tried_at": now, "error": str(error)}
        metrics.calendar_reads.labels("failed" if after["error"] else "read").inc()
        if after["error"] != before.get("error", ""):
            say = log.warning if after["error"] else log.info
            say("calendar.read", schedule=schedule, calendar=calendar.where, error=after["error"])
        await self._store.write("HSET", keys.CALENDAR_STATES, calendar.id, orjson.dumps(after).decode())

    async def _keep(self, calendar: Calendar, text: str, now: int) -> None:
        """Writes it, if it is another, for as long as it may be needed; the turn is ours alone."""
        before = await self._store.read("HGET", keys.shared(keys.CALENDARS), calendar.id) or ""
        ends = await self._store.read("ZSCORE", f"{keys.shared(keys.CALENDARS)}:ends", calendar.id) or 0
        if before != text or float(ends) - now < AHEAD - DAY:
            row = (calendar.id, before, text, now + AHEAD)
            outcome, _ = await self._store.keep(keys.CALENDARS, now, now, MOST, [row])
            if outcome == "full":
                raise CalendarError(f"there are {MOST} calendars already; no more are kept")

    def _measure(self, states: list[dict[str, Any]], now: int) -> None:
        failing = sum(bool(one["error"]) for one in states)
        metrics.calendars.labels("read").set(len(states) - failing)
        metrics.calendars.labels("failing").set(failing)
        oldest = min((one["read_at"] or one["tried_at"] for one in states), default=now)
        metrics.calendar_age.set(max(0, now - oldest) / 1_000)


def _understood(text: str, calendar: Calendar, today: int, users: dict[str, str]) -> Read | None:
    try:
        return ical.read(text, calendar, today - PAST, today + AHEAD, users)
    except CalendarError as error:  # it was understood when it was kept: by another version, perhaps
        log.warning("calendar.not_understood", calendar=calendar.where, error=str(error))
        return None


async def _text(session: ClientSession, calendar: Calendar) -> str:
    """The text at its address or in its file.

    Raises:
        CalendarError: with the reason, without the address.
    """
    if calendar.url is None:
        return await asyncio.to_thread(file_text, calendar)
    try:
        url = calendar.url.get_secret_value()
        async with session.get(url, headers={"Accept": "text/calendar"}, max_redirects=3) as response:
            if response.status != 200:
                raise CalendarError(f"the server answers HTTP {response.status}")
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > MAX_BYTES:
                    raise CalendarError(f"larger than {MAX_BYTES >> 20} MiB")
            return body.decode(errors="replace")
    except TimeoutError:
        raise CalendarError(f"no answer within {TIMEOUT_S:.0f} s") from None
    except (ClientError, OSError, ValueError) as error:
        if isinstance(error, CalendarError):
            raise
        why = getattr(error, "strerror", None) or type(error).__name__  # its text may show the address
        raise CalendarError(f"it cannot be reached: {why}") from None
