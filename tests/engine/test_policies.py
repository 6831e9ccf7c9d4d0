"""A policy's first step in time: the alert's team is told, each its own incident, and always somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
global:
  slack_app_token: xoxb-1
  smtp_smarthost: mail.test:25
  smtp_from: tocsin@example.com
severities: {names: [critical, high, low]}
teams:
  - {name: db, slack_channel: "#db", email: db@example.com}
  - {name: web, slack_channel: "#web"}
  - {name: bare}
route:
  receiver: fallback
  group_by: [cluster]
  routes:
    - matchers: [severity="critical"]
      group_wait: 0s
      policy: page
receivers:
  - name: fallback
    webhook_configs: [{url: "http://hook.test/"}]
escalation_policies:
  - name: page
    steps:
      - notify: [{team: slack}, {team: email}]
"""


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


def where(world: World) -> list[tuple[str, str]]:
    return sorted(
        (note.integration, getattr(note.config, "channel", "") or getattr(note.config, "to", ""))
        for note in world.notes
    )


async def test_the_team_of_the_alert_is_told(world: World) -> None:
    await world.take(world.fires("A", severity="critical", team="db"))
    assert where(world) == [("email", "db@example.com"), ("slack", "#db")]


async def test_alerts_of_two_teams_are_two_incidents(world: World) -> None:
    await world.take(
        world.fires("A", severity="critical", team="db"), world.fires("B", severity="critical", team="web")
    )
    told = {(note.integration, name) for note in world.notes for name in note.firing}
    assert told == {("email", "A"), ("slack", "A"), ("slack", "B")}
    assert len({note.message.incident for note in world.notes}) == 2


async def test_where_a_team_cannot_be_reached_somebody_is_told_and_it_is_said(world: World) -> None:
    await world.take(world.fires("A", severity="critical", team="bare"))
    assert [note.integration for note in world.notes] == ["webhook"]
    assert any("instead of" in line for line in await world.timeline(1))


async def test_messages_carry_the_labels_of_their_route_and_the_grade_of_the_severity(world: World) -> None:
    labelled = CONFIG.replace("group_wait: 0s", "group_wait: 0s\n      labels: {tier: one}")
    world.path.write_text(labelled.replace("[critical, high, low]", "[critical, sev2]"))
    await world.plan.reload()
    await world.take(world.fires("A", severity="critical", team="web"))
    await world.take(world.fires("B", severity="SEV2", team="web"))
    await world.until(MINUTE)
    told = [(note.message.grade, dict(note.message.route_labels)) for note in world.notes]
    assert told == [("critical", {"tier": "one"}), ("error", {})]


async def test_whom_a_policy_told_is_told_the_end_and_no_repeats(world: World) -> None:
    await world.take(world.fires("A", severity="critical", team="web"))
    await world.until(9 * HOUR)
    await world.take(world.ends("A", severity="critical", team="web"))
    await world.until(9 * HOUR + 6 * MINUTE)
    assert [(note.at // HOUR, note.kind) for note in world.notes] == [(0, "ring"), (9, "end")]


async def test_a_reload_that_changes_the_token_is_used_for_the_pinned_channel(world: World) -> None:
    await world.take(world.fires("A", severity="critical", team="web"))
    world.path.write_text(CONFIG.replace("xoxb-1", "xoxb-2"))
    await world.plan.reload()
    await world.until(MINUTE)
    await world.take(world.ends("A", severity="critical", team="web"))
    await world.until(10 * MINUTE)
    end = world.notes[-1].config
    assert (end.channel, end.app_token.get_secret_value()) == ("#web", "xoxb-2")
