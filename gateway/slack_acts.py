"""What a press of a button in Slack does, and what the one who pressed is told of it.

Every answer goes through `gateway/answers.py`, as from anywhere else: pressed twice, or by two people at
once, it says so. A press also tells where the message is: a delivery that lost its message finds it again.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from gateway.answers import AnswerError, NoSuchIncidentError
from gateway.store import reading
from receivers.filters import slack as escaped
from receivers.filters import truncated
from receivers.slack_buttons import SNOOZES
from receivers.slack_markup import clock, link, moment, usable
from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged
from routing.incident_records import Status
from routing.whom import is_news, said_when

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.answers import Answers
    from gateway.slack_people import Person
    from gateway.store.store import Store
    from receivers.slack_buttons import Pressed, What
    from routing.events import Answer
    from routing.incident_records import Incident

log = structlog.get_logger()

VIA: Final = "Slack"
MORNING: Final = time(8)
NOT_SO_SOON: Final = timedelta(hours=1)
LINES: Final = 20


class SlackActs:
    """Does what buttons say."""

    def __init__(self, store: Store, answers: Answers, external_url: Callable[[], str]) -> None:
        self._store = store
        self._answers = answers
        self._external_url = external_url

    async def press(self, press: Pressed, who: Person, channel: str, ts: str) -> str:
        """What is to be said to who pressed, in Slack's notation. Raises `StoreUnavailableError`."""
        found = await reading.incident(self._store, press.incident)
        if found is None:
            return f"#{press.incident} is gone: it ended long ago, and its record is not kept any longer."
        if found[1].opened_at != press.opened_at:
            return f"This message is about an earlier incident #{press.incident}, which is gone."
        linked = await self._link(press, channel, ts) if channel and ts else ""
        if press.what == "show":
            return await self.show(press.incident)
        said = await self.give(press.incident, press.what, who)
        if linked == "other":
            said += (
                "\nThis message is a copy that is not kept up to date; another shows how the incident stands."
            )
        return said

    async def _link(self, press: Pressed, channel: str, ts: str) -> str:
        linked = await self._store.link_message(press.delivery, channel, ts, f"ring {press.ring}")
        if linked == "linked":
            log.info("slack.message_found", delivery=press.delivery, incident=press.incident)
        return linked

    async def give(self, number: int, what: What, who: Person, until: int = 0) -> str:
        """Gives the answer, and says what came of it. `until` is for a snooze of a length of one's own."""
        now = await self._store.now()
        answer: Answer
        match what:
            case "ack":
                answer = Acknowledged(who.by, VIA)
            case "unack":
                answer = Unacknowledged(who.by, VIA)
            case "resolve":
                answer = Resolved(who.by, VIA)
            case "escalate":
                answer = Escalated(who.by, VIA)
            case "snooze-morning":
                answer = Acknowledged(who.by, VIA, until=morning(now, who))
            case _:
                answer = Acknowledged(who.by, VIA, until=until or now + SNOOZES[what])
        return await self.answer(number, answer)

    async def answer(self, number: int, answer: Answer) -> str:
        """Hands an answer on, and puts what came of it into words. Raises `StoreUnavailableError`."""
        try:
            answered = await self._answers.give(number, answer)
        except NoSuchIncidentError:
            return f"There is no incident #{number}, or its record is not kept any longer."
        except AnswerError as error:
            return escaped(str(error))
        log.info("slack.answered", incident=number, answer=type(answer).__name__, by=answer.by)
        return escaped(answered.said)

    async def show(self, number: int) -> str:
        """How an incident stands, and the newest lines of its timeline. Raises `StoreUnavailableError`."""
        found = await reading.incident(self._store, number)
        if found is None:
            return f"There is no incident #{number}, or its record is not kept any longer."
        shard, incident = found
        lines = [
            said_when(line) for line in await reading.timeline(self._store, shard, number) if is_news(line)
        ]
        told = [f"{clock(at)} {escaped(truncated(text, 400))}" for at, text in lines[-LINES:]]
        more = [f"_{len(lines) - LINES} earlier lines are on its page_"] if len(lines) > LINES else []
        return "\n".join((self.line(incident), *more, *told))

    def line(self, incident: Incident) -> str:
        """An incident in one line: what, how it stands, since when, who has it."""
        words = [value for name, value in sorted(incident.labels.items(), key=_name_first) if value]
        what = escaped(truncated(" · ".join(words), 120)) or "an incident"
        url = f"{self._external_url().rstrip('/')}/incidents/{incident.number}"
        number = link(url, f"#{incident.number}") if usable(url) else f"#{incident.number}"
        stands = f"{incident.status} since {moment(incident.triggered_at)}"
        if incident.status is Status.RESOLVED:
            stands = f"resolved {moment(incident.resolved_at)}"
        elif incident.ack and incident.status is Status.ACKNOWLEDGED:
            until = f" until {moment(incident.ack.until)}" if incident.ack.until else ""
            stands = f"{escaped(incident.ack.by)} has it since {moment(incident.ack.at)}{until}"
        return " — ".join(part for part in (f"*{number}* {what}", escaped(incident.severity), stands) if part)


def morning(now: int, who: Person) -> int:
    """Eight o'clock where they live, at least an hour from now; in UTC for people who are not known."""
    zone = ZoneInfo(who.user.time_zone if who.user else "UTC")
    here = datetime.fromtimestamp(now / 1000, zone)
    at = datetime.combine(here.date(), MORNING, zone)
    while at - here < NOT_SO_SOON:
        at = datetime.combine(at.date() + timedelta(days=1), MORNING, zone)
    return int(at.timestamp() * 1000)


def _name_first(label: tuple[str, str]) -> tuple[bool, str]:
    return label[0] != "alertname", label[0]
