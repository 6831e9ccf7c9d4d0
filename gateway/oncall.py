"""Who is on call, as this process knows it: schedules, what calendars say, and overrides that people made.

The schedules are those of the plan in force; calendars and overrides are kept in Redis, each under a version,
and are read anew when that has changed. Who follows from all that, decides `routing/oncall.py`. While the
store is away the last that was known goes on. Times are milliseconds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway.calendars import Calendars
from gateway.named_calendars import with_calendars
from gateway.store.overrides import OverrideStore
from gateway.store.unavailable import StoreUnavailableError
from routing import oncall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.compile import Plan
    from gateway.plan import PlanInForce
    from gateway.store.overrides import Kept
    from gateway.store.store import Store
    from routing.oncall import Override, Schedule


log = structlog.get_logger()

KEEP_UP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Known:
    """All that follows from one plan, and from what was last read: by the names of schedules."""

    plan: Plan
    schedules: Mapping[str, Schedule]
    overrides: Mapping[str, tuple[Override, ...]]


class OnCall:
    """One process's knowledge of who is on call."""

    def __init__(self, store: Store, plan: PlanInForce) -> None:
        self._plan = plan
        self.override_store = OverrideStore(store)
        self.calendars = Calendars(store, plan)
        self._version = -1
        self._kept: tuple[Kept, ...] = ()
        self._last: _Known | None = None
        self._reading = asyncio.Lock()

    @property
    def _known(self) -> _Known:
        """By the plan in force (by the last one where none is)."""
        plan = self._plan.last
        if self._last is None or self._last.plan is not plan:
            filled = with_calendars(plan, self.calendars.named(), self.calendars.spans)
            self._last = _Known(plan, filled, _by_schedule(self._kept, plan))
        return self._last

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """The schedules, with what calendars say."""
        return self._known.schedules

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The overrides that people made, as last read, in the order in which they were made."""
        return self._kept

    def overrides(self, schedule: str) -> tuple[Override, ...]:
        """Those that people made in a schedule and that count, in the order in which they do."""
        return self._known.overrides.get(schedule, ())

    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        """Who is on call there at this moment; nobody where there is no such schedule."""
        known = self.schedules.get(schedule)
        return oncall.on_call(known, at, self.overrides(schedule)) if known else ()

    def next_covered(self, schedule: str, at: int) -> int | None:
        """When somebody is on call, from this moment on; None for not within a year and some."""
        known = self.schedules.get(schedule)
        return oncall.next_covered(known, at, self.overrides(schedule)) if known else None

    async def run(self) -> None:
        """Keeps up with what others change, until cancelled."""
        while True:
            try:
                await self.keep_up()
            except StoreUnavailableError as error:
                log.debug("oncall.store_away", error=str(error))
            await asyncio.sleep(KEEP_UP_S)

    async def keep_up(self) -> None:
        """Reads anew what others have changed; one small question where nothing has.

        Raises:
            StoreUnavailableError: Redis cannot be asked now; what was known stays.
        """
        async with self._reading:
            if await self.calendars.keep_up():
                self._last = None
            version = await self.override_store.version()
            if version != self._version:
                self._kept = await self.override_store.load()
                self._version = (
                    version  # what is written meanwhile has a newer one, and is read the next time
                )
                self._last = None


def _by_schedule(kept: Iterable[Kept], plan: Plan) -> dict[str, tuple[Override, ...]]:
    """The overrides that count, with those people of theirs who are among the users."""
    users = {user.name for user in plan.config.users}
    found: dict[str, tuple[Override, ...]] = {}
    for one in kept:
        override = one.override
        if people := tuple(person for person in override.people if person in users):
            before = found.get(override.schedule, ())
            found[override.schedule] = (*before, replace(override, people=people))
    return found
