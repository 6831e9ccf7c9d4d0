"""What a simulation keeps is what the store would keep: of alerts, deliveries and incidents that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telling import HOUR, MINUTE, SECOND, START, ends, fires, plan_of, story, told

from gateway.simulation.run import Failure
from gateway.simulation.town import PlanTown
from routing.delivery import Failed
from routing.events import Acknowledged, Resolved
from routing.simulated_deliveries import SimulatedDeliveries
from routing.simulated_group import SimulatedGroup
from routing.simulator import Simulator
from routing.stored import GroupMeta
from routing.story import Arrived, Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.story import Happening, Story

TWO = """
route: {receiver: both, group_by: [cluster], group_wait: 10s, group_interval: 1m}
receivers:
  - name: both
    webhook_configs: [{url: "http://127.0.0.1:9/"}]
    SECOND
"""
CHAT = 'slack_configs: [{api_url: "http://127.0.0.1:9/s", channel: "#a", send_resolved: true}]'
PAGER = "pagerduty_configs: [{routing_key: abc}]"
HELD = """
route: {receiver: hook, group_by: [alertname], group_wait: 1s}
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
inhibit_rules: [{source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}]
"""
SHARED = """
route:
  receiver: hook
  routes:
    - {matchers: [alertname!=""], policy: page, group_by: [zone], continue: true}
    - {matchers: [alertname!=""], policy: page, group_by: [alertname]}
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
escalation_policies: [{name: page, steps: [{notify: [{receiver: hook}]}]}]
"""
TWICE = [fires(0), ends(2 * MINUTE), fires(10 * MINUTE), ends(30 * MINUTE, since=10 * MINUTE)]


@pytest.mark.parametrize(("second", "kind"), [(CHAT, "slack"), (PAGER, "pagerduty")])
def test_what_is_over_is_told_late_though_nothing_is_kept_of_it(second: str, kind: str):
    config = TWO.replace("SECOND", second)
    away = [Failure(kind, START + MINUTE, START + 20 * MINUTE)]
    heard: list[object] = []
    story(config, TWICE, HOUR, failures=away, tell=heard.append)
    assert heard == story(config, TWICE, HOUR, failures=away).notifications


@pytest.mark.parametrize("second", [CHAT, PAGER])
def test_of_what_is_over_nothing_is_kept(second: str):
    def answer(_what: object, fields: dict[str, object], now: int) -> object:
        away = fields["kind"] != "webhook" and START + MINUTE <= now < START + 20 * MINUTE
        return Failed("away") if away else None

    plan = plan_of(TWO.replace("SECOND", second))
    town = PlanTown((), answer, texts=False)  # type: ignore[arg-type]  # it tells of no Told
    world = Simulator(town, plan, START, tell=lambda _: None)
    world.run(TWICE, START + 72 * HOUR)
    assert (world.groups, world.incidents, world.deliveries.all) == ({}, {}, {})


def test_what_was_resolved_by_hand_and_is_still_sent_never_ends_by_itself():
    happenings = [fires(0), Said(START + HOUR, Resolved("dana", "HTTP"))]
    found = story(TWO.replace("SECOND", ""), happenings, 48 * HOUR)
    kinds = [kind for _, kind, _ in told(found)]
    assert kinds[:3] == ["ring", "end", "ring"]
    assert set(kinds[3:]) == {"ring"}
    assert not [line for line in found.lines if line.kind == "resolved"]


def test_a_source_that_ends_and_fires_again_in_one_body_goes_on_inhibiting():
    both = (*ends(20 * SECOND, "Down").arrivals, *fires(20 * SECOND, "Down", since=21 * SECOND).arrivals)
    happenings: Sequence[Happening] = [
        fires(0, "Down"),
        Arrived(START + 20 * SECOND, both, stays=True),
        fires(30 * SECOND, "Slow"),
    ]
    assert _rung(story(HELD, happenings, 2 * HOUR)) == {"Down"}


def _rung(of: Story) -> set[str]:
    return {of.incidents[one.incident].labels["alertname"] for one in of.notifications if one.kind == "ring"}


def test_an_acknowledgement_is_one_of_all_incidents_that_share_any_of_some_hundred_alerts():
    body = tuple(fires(0, f"A{number:02}", zone="eu").arrivals[0] for number in range(60))
    arrived = Arrived(START, body, stays=True)
    opened = story(SHARED, [arrived], 2 * MINUTE).incidents
    of_all = next(number for number, one in opened.items() if "zone" in one.labels)
    said = Said(START + MINUTE, Acknowledged("dana", "HTTP"), of_all)
    found = story(SHARED, [arrived, said], 2 * MINUTE)
    assert {one.status.value for one in found.incidents.values()} == {"acknowledged"}
    assert len(found.incidents) == 61


def test_a_delivery_that_is_under_way_is_not_begun_once_more():
    deliveries = SimulatedDeliveries()
    group = SimulatedGroup("g", GroupMeta("{}", "hook", {}, 0, 1, 1))
    new = {"kind": "pagerduty", "place": "p", "target": "t", "slots": 4, "person": "", "base": 0}
    new |= {"ends": 1, "updates": 1, "edits": 1}
    order = {"id": "1.0", "wanted": 1, "rings": 1, "reason": "", "final": 0, "rank": 0}
    order |= {"unless": "acknowledged", "by": "", "step": 0, "notice": False}
    deliveries.order(group, [order | {"new": new}], 1, START)
    deliveries.order(group, [order], 1, START)
    assert [*deliveries.claimed] == ["1.0"]
    assert deliveries.all["1.0"]["attempt"] == 1
