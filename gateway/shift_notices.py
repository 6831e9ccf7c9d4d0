"""Tells people of their shifts, if they wish: before one begins, when it begins, when it ends; once each.

Who is due says `routing/shift_notices.py`. One process takes each notice, so it is sent at most once: one
that a service does not take is not tried again, since the next follows. It goes by Slack and mail; PagerDuty
and webhooks are for alerts. It says which incidents are open of which whoever is on call there is told. Times
are milliseconds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import structlog

from config.values import MAX_ATTEMPT
from gateway import metrics
from gateway.store import keys, reading
from gateway.store.unavailable import StoreUnavailableError
from receivers.base import Message, Sent
from routing import oncall
from routing.calendar import zone
from routing.incident_records import Status
from routing.policies import Target
from routing.shift_notices import due

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.compile import Integration, Plan
    from gateway.oncall import OnCall
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from receivers.base import Receiver
    from routing.incident_records import Incident
    from routing.shift_notices import Notice

log = structlog.get_logger()

LOOK_S: Final = 15.0
LATEST: Final = 10 * 60_000  # a notice that is later than this is no news any more
REMEMBER: Final = 24 * 3_600_000
WAYS: Final = ("slack", "email")
SHOWN: Final = 20
MOST_READ: Final = 1_000
ATTEMPT_S: Final = MAX_ATTEMPT / 1_000


class ShiftNotices:
    """One process's part in telling of shifts."""

    def __init__(
        self,
        store: Store,
        plan: PlanInForce,
        on_call: OnCall,
        receiver: Callable[[str], Receiver],
        external_url: Callable[[], str],
    ) -> None:
        """`receiver` gives the process's own receiver of a kind; `external_url` is asked each time."""
        self._store = store
        self._plan = plan
        self._on_call = on_call
        self._receiver = receiver
        self._external_url = external_url

    async def run(self) -> None:
        """Tells what is due, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailableError as error:
                log.warning("shifts.store_away", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Tells what is due now and nobody has told. Raises `StoreUnavailableError`."""
        if self._plan.placing is None:  # others have put another configuration in force
            return
        plan = self._plan.placing.plan
        leads = {one.name: one.notify_shift for one in plan.config.users if one.notify_shift is not None}
        if not leads or not plan.schedules:
            return
        now = await self._store.now()
        found = await asyncio.to_thread(self._due, leads, now)
        told = await self._store.together(("EXISTS", _key(notice)) for notice in found)
        if untold := [notice for notice, there in zip(found, told, strict=True) if not there]:
            open_ = await reading.incidents(self._store, "open", MOST_READ)
            mine = [notice for notice in untold if await self._is_ours(notice)]
            await asyncio.gather(*(self._tell(notice, plan, open_, now) for notice in mine))

    def _due(self, leads: dict[str, int], now: int) -> list[Notice]:
        return [
            notice
            for schedule in self._on_call.schedules.values()
            for notice in due(schedule, self._on_call.overrides(schedule.name), leads, now - LATEST, now)
        ]

    async def _is_ours(self, notice: Notice) -> bool:
        """Whether nobody has told it, and so we do."""
        return bool(await self._store.write("SET", _key(notice), "1", "NX", "PX", REMEMBER))

    async def _tell(self, notice: Notice, plan: Plan, open_: Sequence[Incident], now: int) -> None:
        here = [one for one in open_ if _concerns(one, plan, notice.schedule)]
        words = self._words(notice, plan, here, now)
        told = plan.directory.integrations([Target("user", notice.person)], "", "")
        ways = [one for one in told if one.kind in WAYS]
        if not ways:
            log.warning("shift.not_told", person=notice.person, reason="neither Slack nor mail tells them")
        await asyncio.gather(*(self._send(one, words, notice, now) for one in ways))

    async def _send(self, way: Integration, words: Words, notice: Notice, now: int) -> None:
        message = _message(way, words, notice, now, self._external_url())
        try:
            async with asyncio.timeout(ATTEMPT_S):
                outcome = await self._receiver(way.kind).send(way.config, message, {})
            reason = "" if isinstance(outcome, Sent) else outcome.reason
        except TimeoutError:
            reason = f"no answer within {ATTEMPT_S:.0f} s"
        except Exception as error:
            log.exception("receiver.failed", kind=way.kind)
            reason = f"a fault in Tocsin's own {way.kind} receiver ({type(error).__name__}; see the log)"
        metrics.shift_notices.labels("failed" if reason else "sent").inc()
        say = log.warning if reason else log.info
        say("shift.told", person=notice.person, what=notice.what, kind=way.kind, failed=reason or None)

    # --- what is said -----------------------------------------------------------------------------

    def _words(self, notice: Notice, plan: Plan, open_: Sequence[Incident], now: int) -> Words:
        schedule = self._on_call.schedules[notice.schedule]
        overrides = self._on_call.overrides(notice.schedule)
        user = next(one for one in plan.config.users if one.name == notice.person)
        location = user.time_zone if "time_zone" in user.model_fields_set else schedule.time_zone

        def clock(at: int) -> str:
            return f"{datetime.fromtimestamp(at / 1_000, zone(location)):%a %Y-%m-%d %H:%M %Z}".strip()

        def who(at: int) -> str:
            people = [one for one in oncall.on_call(schedule, at, overrides) if one != notice.person]
            return ", ".join(people) or "nobody"

        shift = notice.shift
        until = "further notice" if notice.endless else clock(shift.end)
        if notice.what == "soon":
            title = f"On call in {_length(shift.start - now)}: {notice.schedule}"
            said = f"From {clock(shift.start)} until {until}. Now: {who(now)}."
        elif notice.what == "begins":
            title = f"You are on call now: {notice.schedule}"
            said = f"Until {until}." + ("" if notice.endless else f" Then: {who(shift.end)}.")
        else:
            title = f"You are no longer on call: {notice.schedule}"
            said = f"Since {clock(shift.end)}. Now: {who(shift.end)}."
        return Words(title, "\n".join((said, "", *self._listed(open_))))

    def _listed(self, open_: Sequence[Incident]) -> list[str]:
        if not open_:
            return ["No incident is open here."]
        lines = [f"Open incidents: {len(open_)}"]
        for one in open_[:SHOWN]:
            labels = " ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            taken = one.ack if one.status is Status.ACKNOWLEDGED else None
            state = f"acknowledged by {taken.by}" if taken else "nobody has it"
            lines.append(f"#{one.number} {one.severity} {labels[:200]} ({state}) {self._link(one)}")
        return lines

    def _link(self, one: Incident) -> str:
        return f"{self._external_url().rstrip('/')}/incidents/{one.number}"


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says: its first line, and the rest."""

    title: str
    text: str


def _key(notice: Notice) -> str:
    return keys.shift_notice(sha256(notice.key.encode()).hexdigest()[:24])


def _concerns(incident: Incident, plan: Plan, schedule: str) -> bool:
    """Whether whoever is on call in the schedule is told of an incident, by a policy that runs on it."""
    names = {incident.policy, *(clock.policy for clock in incident.clocks)}
    running = [policy for name in names if (policy := plan.policies.get(name))]
    targets = [target for policy in running for step in policy.steps for target in step.notify]
    return any(plan.directory.schedule_of(target, incident.team) == schedule for target in targets)


def _length(span: int) -> str:
    minutes = max(1, round(span / 60_000))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{minutes} min"


def _message(way: Integration, words: Words, notice: Notice, now: int, external_url: str) -> Message:
    key = sha256(notice.key.encode()).hexdigest()[:16]
    return Message(
        kind="ring",
        reason="",
        incident=0,
        status="firing",
        receiver=way.receiver,
        route="",
        group_labels={},
        common_labels={},
        common_annotations={},
        alerts=[],
        firing=0,
        resolved=0,
        severity="",
        opened_at=now,
        resolved_at=0,
        now=now,
        url="",
        external_url=external_url,
        delivery=f"shift-{key}-{way.kind}-{way.index}",
        revision=1,
        ring=1,
        dedup_key=f"tocsin-shift-{key}",
        person=notice.person,
        notice=f"{words.title}\n{words.text}",
    )
