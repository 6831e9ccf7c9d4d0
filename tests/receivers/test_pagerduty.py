"""What PagerDuty is sent, within its limits, and what its answers mean, against the stand-in over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from config.schema import PagerDutyConfig
from gateway.standins.pagerduty import PagerDutyStandin, event_errors
from receivers.base import Refused, Retry, Sent
from receivers.pagerduty import create
from receivers.pagerduty_event import build_event
from receivers.render import Renderer
from receivers.traits import pagerduty as traits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from receivers.base import Message, Outcome, ShownAlert
    from receivers.pagerduty import PagerDutyReceiver

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

KEY = "0123456789abcdef0123456789abcdef"
RENDERER = Renderer(seconds=0.2)


@pytest.fixture
async def standin() -> AsyncIterator[PagerDutyStandin]:
    pagerduty = PagerDutyStandin()
    await pagerduty.start()
    yield pagerduty
    await pagerduty.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[PagerDutyReceiver]:
    made = create()
    yield made
    await made.close()


def config(standin: PagerDutyStandin | None = None, **fields: Any) -> PagerDutyConfig:
    where = {"url": standin.enqueue_url} if standin else {}
    return PagerDutyConfig.model_validate({"routing_key": KEY} | where | fields)


def event(message: Message, **fields: Any) -> dict[str, Any]:
    return build_event(config(**fields), message, RENDERER)[0]


# --- the way to PagerDuty and what its answers mean ----------------------------------------------------


async def test_a_ring_triggers_an_update_is_silent_and_the_end_resolves(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    told = [
        make_message(kind="ring"),
        make_message(kind="update"),
        make_message([make_alert(status="resolved")]),
    ]
    states = []
    for message in told:
        assert isinstance(await receiver.send(config(standin), message, {}), Sent)
        states.append(standin.incidents[KEY, message.dedup_key].state)
    assert states == ["triggered", "triggered", "resolved"]
    assert standin.rings == 1


async def test_the_next_incident_rings_although_the_last_is_still_open_there(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    first, second = make_message(kind="ring", incident=1), make_message(kind="ring", incident=2)
    told = await receiver.send(config(standin), first, {})
    standin.acknowledge(KEY, first.dedup_key)
    again = await receiver.send(config(standin), second, told.memory)
    repeated = await receiver.send(config(standin), second, again.memory | {"unknown": True})
    assert [one.memory["incident"] for one in (told, again, repeated)] == [1, 2, 2]
    assert standin.rings == 2


async def test_the_default_address_is_pagerdutys_and_another_path_works_too(
    receiver: PagerDutyReceiver, standin: PagerDutyStandin, make_message: MakeMessage
) -> None:
    assert config().url == "https://events.pagerduty.com/v2/enqueue"
    wrong = await receiver.send(config(url=f"{standin.url}/elsewhere"), make_message(), {})
    assert isinstance(wrong, Refused)
    assert "/v2/enqueue" in wrong.reason


@pytest.mark.parametrize(
    ("status", "retry_after", "body", "expected"),
    [
        (429, 7, "", Retry("rate limit: no explanation", after=7_000, closes_target=True)),
        (429, None, "", Retry("rate limit: no explanation", after=60_000, closes_target=True)),
        (429, 99_999, "", Retry("rate limit: no explanation", after=3_600_000, closes_target=True)),
        (403, None, "not now", Retry("HTTP 403: not now")),
        (408, None, "", Retry("HTTP 408: no explanation")),
        (500, None, "{}", Retry("HTTP 500: no explanation", unknown=True)),
        (503, 5, "<html>", Retry("HTTP 503: <html>", after=5_000, unknown=True)),
        (400, None, '{"message": "bad", "errors": ["a", "b"]}', Refused("HTTP 400: bad; a; b")),
        (401, None, f"who is {KEY}?", Refused("HTTP 401: who is (key)?")),
        (413, None, "too large", Refused("HTTP 413: too large")),
    ],
)
async def test_each_answer_means_one_thing(
    standin: PagerDutyStandin,
    receiver: PagerDutyReceiver,
    make_message: MakeMessage,
    caplog: pytest.LogCaptureFixture,
    *,
    status: int,
    retry_after: int | None,
    body: str,
    expected: Outcome,
) -> None:
    standin.fail_next(1, status, retry_after, body)
    with caplog.at_level(logging.INFO):
        outcome = await receiver.send(config(standin), make_message(), {})
    assert (replace(outcome, memory=None) if isinstance(outcome, Retry) else outcome) == expected
    assert standin.requests == 1, "one attempt, whatever pdpyras would like to do"
    assert caplog.records == []


async def test_a_wrong_routing_key_is_refused_with_advice(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    outcome = await receiver.send(config(standin, routing_key="too-short"), make_message(), {})
    assert isinstance(outcome, Refused)
    assert "should be 32 characters" in outcome.reason
    assert "Integration Key" in outcome.reason
    assert "too-short" not in outcome.reason


async def test_a_lost_answer_is_unknown_and_the_repeat_is_harmless(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    standin.lose_answers(1)
    first = await receiver.send(config(standin), make_message(), {})
    assert isinstance(first, Retry)
    assert first.unknown
    assert isinstance(await receiver.send(config(standin), make_message(), {"unknown": True}), Sent)
    assert standin.rings == 1


async def test_nobody_listening_is_a_retry_that_cannot_have_arrived(
    receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v2/enqueue"
        outcome = await receiver.send(config(url=url), make_message(), {})
    assert isinstance(outcome, Retry)
    assert "no connection to 127.0.0.1" in outcome.reason
    assert not outcome.unknown


async def test_an_answer_that_does_not_come_is_unknown_after_the_time_limit(
    standin: PagerDutyStandin,
    receiver: PagerDutyReceiver,
    make_message: MakeMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver._client._session_class, "timeout", 0.05)
    standin.delay = 5
    outcome = await receiver.send(config(standin), make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.unknown


async def test_a_key_in_a_file_is_read_anew_when_it_changes(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    with_file = config(standin, routing_key=None, routing_key_file=file)
    missing = await receiver.send(with_file, make_message(), {})
    assert isinstance(missing, Retry)
    assert str(file) in missing.reason
    for key in (KEY, "b" * 33):
        file.write_text(f"{key}\n")
        await receiver.send(with_file, make_message(), {})
    assert [taken["routing_key"] for taken in standin.events] == [KEY]


async def test_a_proxy_and_a_certificate_file_are_used_where_they_are_configured(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    far = "http://events.invalid/v2/enqueue"
    proxied = config(url=far, http_config={"proxy_url": standin.url})
    assert isinstance(await receiver.send(proxied, make_message(), {}), Sent)
    no_file = config(
        url=far.replace("http", "https"), http_config={"tls_config": {"ca_file": "/nowhere/ca.pem"}}
    )
    outcome = await receiver.send(no_file, make_message(), {})
    assert isinstance(outcome, Retry)
    assert "/nowhere/ca.pem" in outcome.reason


async def test_several_keys_at_once_do_not_mix(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage
) -> None:
    keys = [str(digit) * 32 for digit in range(10)]
    sends = [
        receiver.send(config(standin, routing_key=key), make_message(dedup_key=key), {}) for key in keys * 3
    ]
    assert {type(told) for told in await asyncio.gather(*sends)} == {Sent}
    assert sorted(standin.incidents) == [(key, key) for key in keys]


def test_the_target_tells_keys_apart_and_shows_none() -> None:
    names = {traits(config(routing_key=key)).target for key in (KEY, "b" * 32)}
    assert len(names) == 2
    assert all(len(name) == len("pagerduty:12345678") and KEY not in name for name in names)
    facts = traits(config())
    assert (facts.slots, facts.edits, facts.updates) == (4, True, True)


def test_pdpyras_is_imported_only_when_a_receiver_is_made() -> None:
    code = "import sys, receivers.pagerduty; sys.exit('pdpyras' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0


# --- how an event looks --------------------------------------------------------------------------------


def test_the_default_event_reads_well(make_message: MakeMessage) -> None:
    made = event(make_message())
    payload = made["payload"]
    assert event_errors(made | {"routing_key": KEY}) == []
    assert payload["summary"] == "HighAPIResponseTime eu-west: High API response time detected (2 alerts)"
    assert (payload["severity"], payload["source"], payload["component"]) == (
        "critical",
        "eu-west",
        "backend",
    )
    assert (payload["class"], payload["group"]) == ("HighAPIResponseTime", "eu-west")
    assert payload["timestamp"] == "2026-11-18T14:05:00Z"
    assert payload["custom_details"]["alerts"] == [
        "firing since 14:05:00 UTC: instance=api-1:8000: High API response time detected",
        "firing since 14:05:00 UTC: instance=api-2:8000: High API response time detected",
    ]
    assert [link["text"] for link in made["links"]] == ["Incident #1042", "Runbook", "Source"]


def test_one_alerts_text_does_not_stand_for_the_event(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    own = [{"summary": f"{n} is slow", "description": f"about {n}"} for n in range(6)]
    payload = event(make_message([make_alert(n, annotations=own[n]) for n in range(6)]))["payload"]
    told = "6 alerts: api-0:8000, api-1:8000, api-2:8000 and 3 more"
    assert payload["summary"] == f"HighAPIResponseTime eu-west: {told}"
    assert payload["custom_details"]["alerts"][5].endswith("instance=api-5:8000: 5 is slow: about 5")


def test_the_time_of_an_event_is_when_the_fire_began(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    late = make_message([make_alert(1, starts_at=1_795_007_100_000), make_alert(2)])
    assert event(late)["payload"]["timestamp"] == "2026-11-18T13:05:00Z"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("critical", "critical"),
        ("high", "error"),
        ("error", "error"),
        ("page", "critical"),
        ("warning", "warning"),
        ("Medium", "warning"),
        ("info", "info"),
        ("low", "info"),
        ("none", "info"),
        ("", "error"),
        ("sev9", "error"),
    ],
)
def test_severities_become_pagerdutys_four(make_message: MakeMessage, label: str, expected: str) -> None:
    assert event(make_message(severity=label))["payload"]["severity"] == expected


def test_a_severity_of_the_configurations_own_has_the_grade_that_the_message_says(
    make_message: MakeMessage,
) -> None:
    own = make_message(severity="sev1", grade="critical")
    assert event(own)["payload"]["severity"] == "critical"
    assert event(own, severity="{{ severity }}")["payload"]["severity"] == "critical"
    assert event(own, severity="warning")["payload"]["severity"] == "warning"


def test_the_severity_can_be_a_template(make_message: MakeMessage) -> None:
    template = "{{ 'info' if common_labels.cluster == 'eu-west' else 'critical' }}"
    assert event(make_message(), severity=template)["payload"]["severity"] == "info"


def test_the_users_templates_come_first(make_message: MakeMessage) -> None:
    made = event(
        make_message(),
        description="{{ firing }} in {{ common_labels.cluster }}",
        source="{{ external_url }}",
        client="Us",
        client_url="https://us",
        component="c",
        group="g",
        details={"team": "{{ common_labels.job }}", "severity": ""},
        links=[{"href": "https://wiki/{{ name }}", "text": "Wiki"}],
        images=[{"src": "https://graph/{{ name }}.png", "alt": "Graph"}],
        **{"class": "k"},
    )
    payload = made["payload"]
    assert (payload["summary"], payload["component"], payload["class"]) == ("2 in eu-west", "c", "k")
    assert (payload["custom_details"]["team"], "severity" in payload["custom_details"]) == ("backend", False)
    assert made["links"][0] == {"href": "https://wiki/HighAPIResponseTime", "text": "Wiki"}
    assert made["images"] == [{"src": "https://graph/HighAPIResponseTime.png", "alt": "Graph"}]
    assert (made["client"], made["client_url"]) == ("Us", "https://us")


def test_a_template_that_fails_costs_its_look_and_not_the_page(make_message: MakeMessage) -> None:
    made, note = build_event(config(description="{{ .Labels }}"), make_message(), RENDERER)
    assert made["payload"]["summary"].startswith("HighAPIResponseTime eu-west")
    assert "Jinja2 is expected" in note


def test_what_a_label_says_is_never_compiled(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    hostile = make_alert(annotations={"summary": "{{ 7 * 7 }} {% raise %}"})
    assert "{{ 7 * 7 }}" in event(make_message([hostile]))["payload"]["summary"]


def test_an_image_that_pagerduty_would_refuse_is_left_out_with_a_note(make_message: MakeMessage) -> None:
    made, note = build_event(config(images=[{"src": "http://plain"}]), make_message(), RENDERER)
    assert "images" not in made
    assert "https" in note


def test_long_texts_are_cut_with_an_ellipsis(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    long = make_alert(annotations={"summary": "äß🔥" * 2_000})
    made = event(make_message([long, long], dedup_key="k" * 300))
    assert event_errors(made | {"routing_key": KEY}) == []
    assert made["payload"]["summary"].endswith("… (2 alerts)")
    assert len(made["dedup_key"]) == 255


def test_an_event_over_512_kb_loses_its_largest_details_and_says_so(make_message: MakeMessage) -> None:
    huge = {"one": "{{ 'ä' }}" + "ä" * 60_000, "two": "ö" * 60_000, "small": "stays"}
    made, note = build_event(config(details=huge), make_message(), RENDERER)
    assert len(json.dumps(made)) < 512 * 1024
    assert made["payload"]["custom_details"]["small"] == "stays"
    assert "larger than 512 KB" in note
    assert "one" in note


async def test_the_largest_alerts_still_make_an_event_that_is_taken(
    standin: PagerDutyStandin, receiver: PagerDutyReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    labels = {f"label_{n}": "\u0101" * 16_000 for n in range(120)}
    alerts = [make_alert(n, labels=labels, annotations=labels) for n in range(50)]
    assert isinstance(await receiver.send(config(standin), make_message(alerts, firing=9_999), {}), Sent)
    assert "and 9979 more" in standin.events[0]["payload"]["custom_details"]["alerts"]


def test_a_test_is_marked(make_message: MakeMessage) -> None:
    made = event(make_message(test=True, incident=0, url="https://root.example"))
    told = "[TEST] HighAPIResponseTime eu-west: High API response time detected"
    assert made["payload"]["summary"] == told
    assert "#0" not in str(made)
    assert "firing" not in str(made)
    assert "Incident" not in str(made["links"])
