"""The demo's first act: nobody answers, the next one is told, presses the button, everybody hears of it.

An alert is posted as Prometheus posts it, and the stand-in for Slack presses the button that the real message
has. What must come of it is said here too, place by place; `reckoning.py` counts.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from gateway.demo.reckoning import PAGERDUTY, Tally
from gateway.demo.screen import ENDS, HEARD, TROUBLE
from routing.oncall import on_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.demo.screen import Screen
    from gateway.demo.stage import Stage
    from gateway.standins.smtp import Mail

SCHEDULE: Final = "payments-weekly"
MANAGERS: Final = "managers@example.com"
ANSWER_S: Final = 10.0
READS_S: Final = 1.5  # from somebody's phone that sounds to the button
PATIENCE_S: Final = 12.0
LOOK_S: Final = 0.1

LABELS: Final = {
    "alertname": "CheckoutDown",
    "team": "payments",
    "severity": "critical",
    "cluster": "eu-west",
}
SUMMARY: Final = "Nobody can pay: the checkout answers no request"


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is on call."""

    name: str
    slack: str
    mail: str


def on_duty(built: Stage) -> Person:
    """Who is on call now, by the schedule of the configuration."""
    name = on_call(built.plan.schedules[SCHEDULE], time.time_ns() // 1_000_000)[0]
    user = built.plan.directory.users[name]
    return Person(name, f"@{user.slack_id}", user.email)


def due(person: Person) -> dict[str, Tally]:
    """What each place must have been told at the end of the act."""
    places = (PAGERDUTY, "#payments", person.slack, person.mail, MANAGERS)
    return {place: Tally(begun=1, ended=1) for place in places}


async def play(built: Stage, person: Person, screen: Screen) -> list[str]:
    """Plays it; what went wrong on the way, empty if nothing did."""
    slack, smtp = built.standins.slack, built.standins.smtp
    wrong: list[str] = []
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        started = datetime.now(UTC).isoformat()
        alert: dict[str, Any] = {"labels": LABELS, "annotations": {"summary": SUMMARY}, "startsAt": started}
        screen.happens("prometheus", "1 critical alert fires: CheckoutDown (eu-west)", TROUBLE)
        wrong += await _post(session, built.url, alert)
        if not await _until(lambda: slack.shown(person.slack)):
            return [*wrong, f"{person.name}, who is on call, was not told"]
        await asyncio.sleep(READS_S)
        screen.happens(person.name, "presses Acknowledge in Slack", HEARD)
        await slack.press(slack.shown(person.slack)[0], "Acknowledge", person.slack.removeprefix("@"))
        if not await _until(lambda: any(MANAGERS in mail.recipients for mail in smtp.mails)):
            wrong.append("the managers were not told that it is not over")
        await asyncio.sleep(READS_S)
        screen.happens("prometheus", "1 critical alert ended: CheckoutDown (eu-west)", ENDS)
        wrong += await _post(session, built.url, alert | {"endsAt": datetime.now(UTC).isoformat()})
        if not await _until(lambda: any(_tells_managers_the_end(mail) for mail in smtp.mails)):
            wrong.append("the managers were not told of the end")
    return wrong


def _tells_managers_the_end(mail: Mail) -> bool:
    return MANAGERS in mail.recipients and mail.message["X-Tocsin-Status"] == "resolved"


async def _post(session: aiohttp.ClientSession, url: str, alert: dict[str, Any]) -> list[str]:
    async with session.post(f"{url}/api/v2/alerts", json=[alert]) as answer:
        ok = answer.status == HTTPStatus.OK
        return [] if ok else [f"an alert was answered {answer.status}"]


async def _until(true: Callable[[], object]) -> bool:
    """Looks until it is so, for as long as one may have to wait for it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while not true():
        if loop.time() > end:
            return False
        await asyncio.sleep(LOOK_S)
    return True
