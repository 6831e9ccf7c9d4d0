"""What each person had to be told, and what the stand-ins really took: the demo checks itself.

What is due follows from the recording and the routing tree alone, by a model of a few lines: a group's
incident begins with its first firing alert, grows, and ends with its last. What was taken is counted at the
stand-ins. Where the two differ, the demo has failed and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.schema import EmailConfig, PagerDutyConfig, SlackConfig
from routing.tree import Tree, group_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.compile import Integration, Plan
    from gateway.demo.stage import Standins
    from gateway.demo.story import Answer, Scene
    from gateway.standins.slack_messages import SlackMessage

PAGERDUTY = "PagerDuty"


@dataclass(slots=True)
class Tally:
    """What one place was told: incidents begun and ended there, news heard in between, silent edits."""

    begun: int = 0
    ended: int = 0
    more: int = 0
    quiet: int = 0


@dataclass(slots=True)
class Due:
    """What must come of the story."""

    incidents: int = 0
    resolved: int = 0
    places: dict[str, Tally] = field(default_factory=dict)


def place(integration: Integration) -> str:
    """What the demo calls an address: the service, a channel, a mail address."""
    match integration.config:
        case PagerDutyConfig():
            return PAGERDUTY
        case SlackConfig(channel=channel):
            return channel
        case EmailConfig(to=to):
            return to
        case _:
            return integration.kind


# --- what is due ---------------------------------------------------------------------------------------


def due(story: Iterable[Scene], plan: Plan) -> Due:
    """What each place must have been told at the end of the story."""
    result = Due(places={place(one): Tally() for all_ in plan.receivers.values() for one in all_})
    tree = Tree(plan.root)
    firing: dict[tuple[str, str], set[str]] = {}
    for scene in story:
        before = {group: set(alerts) for group, alerts in firing.items()}
        told = {}
        for alert in scene.webhook["alerts"]:
            for route in tree.match(alert["labels"]):
                group = (route.key, str(group_labels(route, alert["labels"])))
                told[group] = [result.places[place(one)] for one in plan.receivers[route.receiver]]
                fires = firing.setdefault(group, set())
                change = fires.add if alert["status"] == "firing" else fires.discard
                change(str(sorted(alert["labels"].items())))
        for group, tallies in told.items():
            _count(result, tallies, before.get(group, set()), firing[group])
    return result


def _count(result: Due, tallies: Iterable[Tally], before: set[str], after: set[str]) -> None:
    """What one webhook means for the incident of one group."""
    begins, ends = bool(after) and not before, bool(before) and not after
    result.incidents += begins
    result.resolved += ends
    for tally in tallies:
        tally.begun += begins
        tally.ended += ends
        tally.more += bool(before) and bool(after - before)


def add(result: Due, act: Mapping[str, Tally]) -> None:
    """One incident more, which began and ended at each of these places."""
    result.incidents += 1
    result.resolved += 1
    for name, tally in act.items():
        known = result.places.setdefault(name, Tally())
        known.begun += tally.begun
        known.ended += tally.ended


# --- what was taken ------------------------------------------------------------------------------------


def taken(standins: Standins) -> dict[str, Tally]:
    """What each place was told, counted at the stand-ins."""
    found: dict[str, Tally] = {}

    def at(name: str) -> Tally:
        return found.setdefault(name, Tally())

    for incident in (*standins.pagerduty.incidents.values(), *standins.pagerduty.closed):
        at(PAGERDUTY).begun += incident.rings
        at(PAGERDUTY).more += incident.triggers - incident.rings
        at(PAGERDUTY).ended += incident.state == "resolved"
    for message in standins.slack.messages:
        _add_message(at(channel(message)), message)
    mailed: set[str] = set()
    for mail in standins.smtp.mails:
        over = mail.message["X-Tocsin-Status"] == "resolved"
        for address in mail.recipients:
            first = f"{address} {mail.message['X-Tocsin-Incident']}" not in mailed
            mailed.add(f"{address} {mail.message['X-Tocsin-Incident']}")
            at(address).ended += over
            at(address).begun += first and not over
            at(address).more += not first and not over
    return found


def channel(message: SlackMessage) -> str:
    """`#alerts`, or `@U0DANA` for a direct message."""
    return message.channel if message.channel.startswith("@") else f"#{message.channel}"


def _add_message(tally: Tally, message: SlackMessage) -> None:
    tally.quiet += len(message.edits)
    if message.thread_ts:
        tally.more += message.heard
        return
    tally.begun += 1
    tally.ended += shows_end(message)


def shows_end(message: SlackMessage) -> bool:
    """Whether a Slack message says, as it stands now, that its incident is over."""
    return "(resolved after " in message.text


# --- the judgement -------------------------------------------------------------------------------------


def complaints(
    expected: Due,
    found: Mapping[str, Tally],
    answers: Iterable[Answer],
    incidents: Iterable[Mapping[str, Any]],
    dead: Iterable[Mapping[str, Any]],
) -> list[str]:
    """What did not come out as it must, one sentence each; empty if all is well.

    `incidents` and `dead` (deliveries that were given up) are as the gateway's API lists them.
    """
    wrong = [f"a webhook was answered {answer.status}" for answer in answers if answer.status != 200]
    statuses = [incident["status"] for incident in incidents]
    wrong += _differs("the gateway", "incidents", expected.incidents, len(statuses))
    wrong += _differs("the gateway", "resolved incidents", expected.resolved, statuses.count("resolved"))
    wrong += [f"{one['target']} was given up: {one['error']}" for one in dead]
    for name in {**expected.places, **found}:
        want, got = expected.places.get(name, Tally()), found.get(name, Tally())
        wrong += _differs(name, "incidents begun", want.begun, got.begun)
        wrong += _differs(name, "incidents ended", want.ended, got.ended)
        wrong += _differs(name, "further news", want.more, got.more)
    return wrong


def _differs(where: str, what: str, want: int, got: int) -> list[str]:
    return [] if want == got else [f"{where}: {what}: {want} due, {got} came"]
