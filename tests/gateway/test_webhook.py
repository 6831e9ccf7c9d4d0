"""How a sender is answered, over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

import gateway
from gateway.webhook import Limits

RECORDED = sorted((Path(gateway.__file__).parent / "standins" / "payloads").glob("*.json"))
JSON = "application/json"


def alert(**changes: Any) -> dict[str, Any]:
    plain = {
        "status": "firing",
        "labels": {"alertname": "Down"},
        "annotations": {},
        "startsAt": "2026-11-23T08:50:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
    }
    return plain | changes


def webhook(*alerts: Any, **more: Any) -> bytes:
    return json.dumps({"version": "4", "alerts": alerts} | more).encode()


def raw_deflate(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_webhook_is_taken_and_repeated_is_a_repeat(edge, path):
    body = path.read_bytes()
    sent = len(json.loads(body)["alerts"])
    first, again = await edge.post("/webhook", body), await edge.post("/webhook", body)
    assert (first.status, again.status) == (200, 200)
    assert (first.document["accepted"], first.document["repeated"]) == (sent, 0)
    assert (again.document["accepted"], again.document["repeated"]) == (0, sent)
    assert len(edge.intake.taken) == 2 * sent


async def test_the_answer_says_what_became_of_the_alerts(edge):
    answer = await edge.post("/webhook", webhook(alert()), x_request_id="mine-1")
    assert answer.document == {
        "accepted": 1, "repeated": 0, "suspect": 0, "recorded": 0, "invalid": 0, "cut": 0,
        "request_id": "mine-1", "problems": [],
    }  # fmt: skip
    assert answer.headers["X-Request-Id"] == "mine-1"


async def test_a_request_id_is_made_up_where_none_or_a_strange_one_is_sent(edge):
    for given in ("", "x" * 65, "a b", "a'><script>"):
        answer = await edge.post("/webhook", webhook(alert()), x_request_id=given)
        assert answer.document["request_id"] == answer.headers["X-Request-Id"] != given
        assert len(answer.document["request_id"]) == 16


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
        ("", bytes),
    ],
)
async def test_a_packed_body_is_read_as_the_plain_one(edge, encoding, pack):
    body = RECORDED[4].read_bytes()
    answer = await edge.post("/webhook", pack(body), content_encoding=encoding)
    assert (answer.status, answer.document["accepted"]) == (200, 300)


@pytest.mark.parametrize(
    "content_type", ["", JSON, f"{JSON}; charset=utf-8", "Application/JSON", f'{JSON};charset="UTF-8"']
)
async def test_a_content_type_that_may_be_json_is_taken(edge, content_type):
    assert (await edge.post("/webhook", webhook(alert()), content_type=content_type)).status == 200


async def test_ten_thousand_alerts_in_one_body_are_taken(edge):
    alerts = [alert(labels={"alertname": "Down", "instance": f"host-{n}"}) for n in range(10_000)]
    answer = await edge.post("/webhook", webhook(*alerts))
    assert (answer.status, answer.document["accepted"]) == (200, 10_000)


async def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(edge):
    edge.limits = Limits(body_bytes=2_000)
    body = webhook(alert())
    assert (await edge.post("/webhook", body.ljust(2_000))).status == 200
    assert (await edge.post("/webhook", body.ljust(2_001))).status == 413
    assert (
        await edge.post("/webhook", gzip.compress(body.ljust(2_000)), content_encoding="gzip")
    ).status == 200
    assert (
        await edge.post("/webhook", gzip.compress(body.ljust(2_001)), content_encoding="gzip")
    ).status == 413


async def test_one_invalid_alert_of_a_webhook_is_told_and_the_others_are_stored(edge):
    answer = await edge.post("/webhook", webhook(alert(), alert(labels={"a": 1}), alert()))
    assert (answer.status, answer.document["invalid"]) == (200, 1)
    assert [(problem["index"], problem["field"]) for problem in answer.document["problems"]] == [
        (1, "labels.a")
    ]
    assert len(edge.intake.taken) == 2


async def test_a_webhook_without_any_valid_alert_is_refused(edge):
    answer = await edge.post("/webhook", webhook(alert(labels={}), alert(status="?")))
    assert answer.status == 400
    assert answer.detail.startswith("No alert of this body is valid; the first, alert 0, labels:")
    assert (answer.document["invalid"], answer.document["accepted"]) == (2, 0)


async def test_a_partly_invalid_post_is_refused_and_its_valid_alerts_are_stored(edge):
    body = json.dumps([{"labels": {"a": "b"}}, {"labels": {}}]).encode()
    answer = await edge.post("/api/v2/alerts", body)
    assert (answer.status, answer.document["accepted"], answer.document["invalid"]) == (400, 1, 1)
    assert "alert 1, labels" in answer.detail
    assert len(edge.intake.taken) == 1


@pytest.mark.parametrize(
    ("valid", "invalid", "said"),
    [
        (0, 1, "None of 1 alert was stored; 1 is not valid; the first, alert 0, labels"),
        (0, 2, "None of 2 alerts was stored; 2 are not valid;"),
        (1, 1, "1 of 2 alerts was stored; 1 is not valid;"),
        (1, 2, "1 of 3 alerts was stored; 2 are not valid;"),
        (2, 1, "2 of 3 alerts were stored; 1 is not valid;"),
    ],
)
async def test_it_is_said_how_much_of_a_post_was_stored(edge, valid, invalid, said):
    body = json.dumps([{"labels": {}}] * invalid + [{"labels": {"a": "b"}}] * valid).encode()
    answer = await edge.post("/api/v2/alerts", body)
    assert (answer.status, len(edge.intake.taken)) == (400, valid)
    assert answer.detail.startswith(said)


async def test_an_empty_post_is_taken_even_if_nothing_can_be_stored(edge):
    edge.intake.unavailable = True
    assert (await edge.post("/api/v2/alerts", b"[]")).status == 200


async def test_posted_alerts_without_an_end_fire_for_the_resolve_timeout_in_force(edge):
    for timeout in (300_000, 60_000):
        edge.limits = Limits(resolve_timeout=timeout)
        await edge.post("/api/v2/alerts", b'[{"labels": {"a": "b"}}]')
        assert edge.intake.taken[-1].until == edge.now + timeout


@pytest.mark.parametrize(
    ("path", "body"), [("/webhook", webhook(alert())), ("/api/v2/alerts", b'[{"labels": {"a": "b"}}, {}]')]
)
async def test_what_cannot_be_stored_now_is_answered_503_so_that_it_is_sent_again(edge, path, body):
    edge.intake.unavailable = True
    answer = await edge.post(path, body)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    edge.intake.unavailable = False
    assert (await edge.post("/webhook", webhook(alert()))).document["accepted"] == 1


async def test_the_answer_waits_until_the_alerts_are_durable(edge):
    durable, taken = asyncio.Event(), edge.intake.take

    async def slowly(arrivals):
        await durable.wait()
        return await taken(arrivals)

    edge.intake.take = slowly
    post = asyncio.create_task(edge.post("/webhook", webhook(alert())))
    done, _ = await asyncio.wait([post], timeout=0.1)
    assert not done
    durable.set()
    assert (await post).status == 200


@pytest.mark.parametrize(
    "error", [RuntimeError("redis://:hunter2@x"), ConnectionResetError("hunter2"), KeyError()]
)
async def test_an_unexpected_error_is_logged_under_the_id_that_the_client_is_told(edge, error):
    edge.intake.broken = error
    with capture_logs() as logged:
        answer = await edge.post("/webhook", webhook(alert()))
    assert (answer.status, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert answer.document["title"] == "Internal Server Error"
    assert answer.document["request_id"] in answer.detail
    assert "hunter2" not in str(answer)
    assert "Traceback" not in str(answer)
    assert [(entry["event"], entry["route"]) for entry in logged] == [("http.failed", "/webhook")]


async def test_a_hidden_remainder_of_a_group_is_logged(edge):
    with capture_logs() as logged:
        await edge.post("/webhook", webhook(alert(), truncatedAlerts=3, receiver="a\\.b"))
    assert [(entry["event"], entry["hidden"], entry["receiver"]) for entry in logged] == [
        ("ingest.truncated", 3, "a.b")
    ]


async def test_unknown_paths_and_methods_are_problems_too(edge):
    nowhere, wrong_method = await edge.post("/nowhere", b""), await edge.raw(b"GET /webhook HTTP/1.0\r\n\r\n")
    assert (nowhere.status, nowhere.detail) == (404, "There is nothing at /nowhere.")
    assert (wrong_method.status, wrong_method.headers["Allow"]) == (405, "POST")
    assert wrong_method.document["title"] == "Method Not Allowed"


async def test_requests_and_alerts_are_counted_by_what_became_of_them(edge):
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    def all_counted() -> list[float]:
        return [
            counted("tocsin_ingest_requests_total", endpoint="webhook", status="200"),
            counted("tocsin_ingest_requests_total", endpoint="webhook", status="415"),
            counted("tocsin_ingest_alerts_total", result="accepted"),
            counted("tocsin_ingest_alerts_total", result="invalid"),
        ]

    before = all_counted()
    await edge.post("/webhook", webhook(alert(), alert(labels={})))
    await edge.post("/webhook", b"", content_type="text/plain")
    assert [now - then for now, then in zip(all_counted(), before, strict=True)] == [1, 1, 1, 1]
