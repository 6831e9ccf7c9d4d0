"""Who is on call, as this process knows it: schedules, what calendars say, and overrides that people made.

The schedules are those of the plan in force; calendars and overrides are kept in Redis, each under a version,
and are read anew when that has changed. Who follows from all that, decides `routing/oncall.py`. While the
store is away the last that was known goes on. Times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.calendars import Calendars
from gateway.named_calendars import with_calendars
from gateway.store.overrides import OverrideStore
from routing import oncall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.compile import Plan
    from gateway.plan import PlanInForce
    from gateway.store.overrides import Kept
    from gateway.store.store import Store
    from routing.oncall import Override, Schedule


class OnCall:
    """One process's knowledge of who is on call."""

    def __init__(self, store: Store, plan: PlanInForce) -> None:
        self._plan = plan
        self.override_store = OverrideStore(store)
        self.calendars = Calendars(store, plan)
        self._version = -1
        self._kept: tuple[Kept, ...] = ()
        self._overrides: dict[str, list[Override]] = {}
        self._filled: tuple[Plan, Mapping[str, Schedule]] | None = None

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """Those of the plan in force (of the last one where none is), with what calendars say."""
        plan = self._plan.last
        if self._filled is None or self._filled[0] is not plan:
            self._filled = plan, with_calendars(plan, self.calendars.named(), self.calendars.spans)
        return self._filled[1]

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The overrides that people made, as last read, in the order in which they were made."""
        return self._kept

    def overrides(self, schedule: str) -> tuple[Override, ...]:
        """Those that people made in a schedule, in the order in which they count."""
        return tuple(self._overrides.get(schedule, ()))

    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        """Who is on call there at this moment; nobody where there is no such schedule."""
        known = self.schedules.get(schedule)
        return oncall.on_call(known, at, self._overrides.get(schedule, ())) if known else ()

    def next_covered(self, schedule: str, at: int) -> int | None:
        """When somebody is on call, from this moment on; None for not within a year and some."""
        known = self.schedules.get(schedule)
        return oncall.next_covered(known, at, self._overrides.get(schedule, ())) if known else None

    async def keep_up(self) -> None:
        """Reads anew what others have changed; one small question where nothing has.

        Raises:
            StoreUnavailableError: Redis cannot be asked now; what was known stays.
        """
        if await self.calendars.keep_up():
            self._filled = None
        version = await self.override_store.version()
        if version != self._version:
            self._kept = await self.override_store.load()
            self._overrides = {}
            for one in self._kept:
                self._overrides.setdefault(one.override.schedule, []).append(one.override)
            self._version = version  # what was written meanwhile has a newer one, and is read the next time
