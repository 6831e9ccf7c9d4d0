"""A drawn world, told by the real service and by the simulation.

The service goes first: what only it can name, the ids of silences, is in what the simulation is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drawn import loaded
from tocsin_in_time import Tocsin

from config.compile import compile_plan
from gateway.simulation.run import Failure, simulate
from routing.alerts import Arrival, alert_key
from routing.delivery import Failed, Rejected
from routing.events import (
    Acknowledged,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.matchers import parse_matchers
from routing.oncall import Override
from routing.policies import Target
from routing.silence_changes import Wanted
from routing.story import Arrived, Reloaded, Said, SilencesChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drawn import Drawn
    from redis.asyncio import Redis
    from services import Services
    from timelines import Told

    from routing.events import Answer
    from routing.story import Happening, Story

VIA = "simulation"


async def real(
    redis: Redis, folder: Path, services: Services, drawn: Drawn
) -> tuple[list[Told], list[Happening], list[Override]]:
    """What the services took, and the same happenings for a simulation."""
    await redis.flushall()
    tocsin = Tocsin(redis, folder / "tocsin.yaml", services, drawn)
    try:
        await tocsin.start()
        overrides = [
            (await tocsin.oncall.override_store.add(_override(one))).override for one in drawn.overrides
        ]
        await tocsin.oncall.keep_up()
        silences: list[str] = []
        happenings = []
        for one in drawn.happens:
            await tocsin.until(one["at"])
            happenings.append(await _happen(tocsin, one, silences))
        await tocsin.until(drawn.ends)
        if tocsin.fault:
            raise tocsin.fault
        return tocsin.told, happenings, overrides
    finally:
        await tocsin.close()


async def _happen(tocsin: Tocsin, one: Mapping[str, Any], silences: list[str]) -> Happening:
    at = tocsin.began + one["at"]
    match one["do"]:
        case "alerts":
            arrivals = tuple(_arrival(alert, tocsin.began, at) for alert in one["alerts"])
            await tocsin.take(arrivals)
            return Arrived(at, arrivals, stays=one["stays"])
        case "answer":
            answer = _answer(one, tocsin.began)
            await tocsin.answer(one["number"], answer)
            return Said(at, answer, one["number"])
        case "silence":
            matchers = parse_matchers(one["matchers"])
            start, end = tocsin.began + one["start"], tocsin.began + one["end"]
            wanted = Wanted(matchers, starts_at=start, ends_at=end, created_by="dana", comment="x")
            silences.append(await tocsin.silence(wanted))
        case "unsilence":
            if one["which"] < len(silences):
                await tocsin.unsilence(silences[one["which"]])
        case "reload":
            config = tocsin.drawn.later[one["config"]]
            await tocsin.reload(config)
            return Reloaded(at, compile_plan(loaded(config, tocsin.services.addresses)))
    return SilencesChanged(at, await tocsin.silences())


def simulated(
    drawn: Drawn, addresses: Mapping[str, str], happenings: list[Happening], overrides: list[Override]
) -> Story:
    failures = [
        Failure(
            one["what"], drawn.began + one["since"], drawn.began + one["until"], refused=one["how"] == "never"
        )
        for one in drawn.failures
    ]
    busy = any(one["how"] == "busy" for one in drawn.failures)
    return simulate(
        compile_plan(loaded(drawn.config, addresses)),
        happenings,
        began=drawn.began,
        until=drawn.began + drawn.ends,
        failures=failures,
        answer=_answers(drawn) if busy else None,
        overrides=overrides,
        texts=True,
    )


def _answers(drawn: Drawn) -> Callable[[Any, Mapping[str, Any], int], Failed | Rejected | None]:
    """What services answer that ask to wait, besides what `Failure` can say."""

    def answer(_what: Any, fields: Mapping[str, Any], now: int) -> Failed | Rejected | None:
        names = (fields["kind"], fields["receiver"], fields["person"])
        for one in drawn.failures:
            if one["what"] in names and one["since"] <= now - drawn.began < one["until"]:
                if one["how"] == "never":
                    return Rejected("away")
                if one["how"] == "later" or fields["kind"] == "email":
                    return Failed("away")
                # PagerDuty's documents ask for some minutes, where its answer says nothing.
                wait = one["wait"] or (60 if fields["kind"] == "pagerduty" else 0)
                return Failed("away", wait * 1_000, closes_target=True)
        return None

    return answer


def _override(one: Mapping[str, Any]) -> Override:
    return Override("", by="dana", **one | {"people": tuple(one["people"])})


def _arrival(alert: Mapping[str, Any], began: int, at: int) -> Arrival:
    labels = {name: value for name, value in alert["labels"].items() if value}
    end, until = alert["end"], alert["until"]
    return Arrival(
        alert_key(labels),
        labels,
        alert["annotations"],
        "resolved" if end else "firing",
        began + alert["start"],
        began + end if end else None,
        began + until if until and began + until > at else None,
        "",
    )


def _answer(one: Mapping[str, Any], began: int) -> Answer:
    by = one["by"]
    target = Target(*one["to"]) if "to" in one else None
    match one["says"]:
        case "ack":
            return Acknowledged(by, VIA)
        case "snooze":
            return Acknowledged(by, VIA, began + one["until"])
        case "unack":
            return Unacknowledged(by, VIA)
        case "resolve":
            return Resolved(by, VIA)
        case "escalate":
            return Escalated(by, VIA)
        case "reassign":
            return Reassigned(by, VIA, target, one.get("policy", ""))
        case "responder":
            assert target
            return ResponderAdded(by, VIA, target)
        case _:
            return Noted(by, VIA, "somebody looks at it")
