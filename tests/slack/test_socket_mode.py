"""Socket Mode: connections that come, go and are several, and events that are acted on once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import structlog
from slack_town import DANA

from gateway import metrics, slack_socket
from gateway.standins.slack_app import PressError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_town import Town

pytestmark = pytest.mark.store


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_socket, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(slack_socket, "LEAVE_S", 0.05)


@pytest.fixture
async def town(make_town: Any) -> AsyncIterator[Town]:
    async with make_town(socket=True) as made:
        yield made


async def acknowledged(town: Town, number: int = 1) -> bool:
    message = await town.message(f"A{number}", severity="critical")
    before = len(town.slack.app.whispers)
    await town.slack.press(message, "ack", DANA)
    await town.said(before + 1)
    return bool((await town.incident(number)).ack)


async def test_a_connection_that_breaks_is_opened_again(town: Town) -> None:
    for number in (1, 2):
        assert await acknowledged(town, number)
        assert metrics.slack_connections._value.get() == 1
        await town.slack.app.connections.hang_up(1)
        await town.slack.app.connections.connected(0)
        await town.slack.app.connections.connected(1)


async def test_where_slack_says_goodbye_the_next_connection_is_there_before_the_last_is_gone(
    town: Town,
) -> None:
    connections = town.slack.app.connections
    await connections.say_goodbye("warning")
    await connections.connected(2)
    assert await acknowledged(town)
    await connections.connected(1)


async def test_an_event_that_comes_to_several_replicas_is_acted_on_once(town: Town) -> None:
    second = await town.start()
    connections = town.slack.app.connections
    await connections.connected(2)
    message = await town.message(severity="critical")
    payload = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", DANA)
    for service in (town.services[0], second, second):  # as if no acknowledgement had arrived
        service._slack.events.hear("interactive", payload)
    await town.slack.press(message, "show", DANA)
    assert sorted(text[:11] for text in await town.said(2)) == ["*<http://to", "You have it"]
    assert (await town.timeline()).count("dana has it (Slack)") == 1


async def test_each_replica_holds_a_connection_and_any_of_them_can_act(town: Town) -> None:
    await town.start()
    await town.slack.app.connections.connected(2)
    assert await acknowledged(town, 1)
    await town.services.pop().stop()
    await town.slack.app.connections.connected(1)
    assert await acknowledged(town, 2)


async def test_a_reload_switches_it_on_and_off(town: Town) -> None:
    text = town.path.read_text()
    connections = town.slack.app.connections
    way = f"socket_mode: true, app_token: {connections.app_token}"
    assert way in text
    town.path.write_text(text.replace(way, "signing_secret: x"))
    await town.services[0].reload("a test")
    await connections.connected(0)
    with pytest.raises(PressError, match="no connection"):
        await acknowledged(town, 1)
    town.path.write_text(text)
    await town.services[0].reload("a test")
    await connections.connected(1)
    assert await acknowledged(town, 2)


@pytest.mark.parametrize(
    ("token", "reason", "advice"),
    [
        ("xapp-another", "Slack refuses it: invalid_auth", "put the app-level token"),
        ("nothing-like-it", "Slack refuses it: not_allowed_token_type", "wants an app-level token"),
    ],
)
async def test_a_token_that_slack_refuses_is_said_with_advice_and_tried_again(
    town: Town, token: str, reason: str, advice: str
) -> None:
    good = town.slack.app.connections.app_token
    town.slack.app.connections.app_token = "xapp-rotated"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with structlog.testing.capture_logs() as logs:
        text = town.path.read_text()
        town.path.write_text(text.replace(good, token))
        await town.services[0].reload("a test")
        await town.slack.app.connections.connected(0)
        town.path.write_text(text.replace(good, "xapp-rotated"))
        await town.slack.app.connections.refused(2)
        await town.services[0].reload("a test")
        await town.slack.app.connections.connected(1)
    said = [line for line in logs if line["event"] == "slack.not_connected"]
    assert said
    assert said[0]["reason"] == reason
    assert advice in said[0]["advice"]
    assert token not in str(logs)


async def test_frames_that_are_no_events_harm_nobody(town: Town) -> None:
    for frame in (
        *("", "{", "[]", '{"type": 7}', '{"type": "hello"}', '{"envelope_id": 3, "type": "interactive"}'),
        '{"type": "events_api", "envelope_id": "x", "payload": null}',
        '{"type": "interactive", "envelope_id": "y", "payload": []}',
    ):
        await town.slack.app.connections.send_raw(frame)
    assert await acknowledged(town)
