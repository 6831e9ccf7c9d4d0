"""A table of bad inputs over real HTTP: each with its answer, nothing stored, the service alive after it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from gateway.webhook import Limits

KIB = 1024
LIMITS = Limits(body_bytes=256 * KIB, alerts=20, read_ms=100)
ALERT = {"status": "firing", "labels": {"alertname": "Down"}, "startsAt": "2026-11-23T08:50:00Z"}


def webhook(*alerts: Any, **more: Any) -> bytes:
    return json.dumps({"version": "4", "alerts": alerts} | more).encode()


def changed(**changes: Any) -> bytes:
    return webhook(ALERT | changes)


def labels(**given: Any) -> bytes:
    return changed(labels=given)


GOOD = webhook(ALERT)
PACKED = gzip.compress(GOOD)
BOMB = gzip.compress(b" " * 64 * KIB * KIB)  # 64 MiB in 64 KiB
DEEP = 100_000

# what it is, the body, the status, words of the answer
WEBHOOKS: list[tuple[str, bytes, int, str]] = [
    # not JSON
    ("nothing", b"", 400, "line 1 column 1"),
    ("white space", b" \n ", 400, "not JSON at line"),
    ("a word", b"hello", 400, "not JSON at line 1 column 1"),
    ("cut in the middle", GOOD[:-20], 400, "not JSON at line 1 column"),
    ("something after the end", GOOD + b"x", 400, "unexpected content after document"),
    ("two documents", GOOD + b"\n" + GOOD, 400, "not JSON at line 2 column 1"),
    ("a trailing comma", b'{"version": "4",}', 400, "not JSON at line 1 column"),
    ("single quotes", b"{'version': '4'}", 400, "not JSON at line 1 column 2"),
    ("a comment", b"{} // said", 400, "not JSON at line 1 column 4"),
    ("a form", b"payload=%7B%7D", 400, "not JSON at line 1 column 1"),
    ("YAML", b"version: 4\n", 400, "not JSON at line 1 column 1"),
    ("XML", b"<alerts/>", 400, "not JSON at line 1 column 1"),
    ("NaN", b'{"version": "4", "alerts": NaN}', 400, "not JSON at line 1 column 28"),
    ("Infinity", b'{"version": "4", "alerts": -Infinity}', 400, "not JSON at line 1 column"),
    ("a number beyond all", b'{"version": "4", "alerts": [], "x": 1e999}', 400, "number is infinity"),
    ("invalid UTF-8", b'{"version": "4", "x": "\xff"}', 400, "not UTF-8 at byte 23"),
    ("a surrogate in UTF-8", b'{"version": "4", "x": "\xed\xa0\x80"}', 400, "not UTF-8 at byte 23"),
    ("half a surrogate pair", b'{"version": "4", "x": "\\ud800"}', 400, "surrogate"),
    ("UTF-16", GOOD.decode().encode("utf-16"), 400, "not UTF-8 at byte 0"),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, 400, "byte order mark"),
    ("zeros", b"\0" * 100, 400, "not JSON at line 1 column 1"),
    ("a control character in a string", b'{"version": "\x01"}', 400, "control character"),
    ("lists in lists", b"[" * DEEP, 400, "depth limit"),
    ("lists in lists, closed", b"[" * DEEP + b"]" * DEEP, 400, "depth limit"),
    ("objects in objects", b'{"a":' * 40_000, 400, "depth limit"),
    # not a webhook
    ("null", b"null", 400, "this is missing or null"),
    ("a number", b"4", 400, "this is a number"),
    ("a huge number", b"9" * 100_000, 400, "number is infinity"),
    ("a text", b'"alerts"', 400, "this is a string"),
    ("a list, as Prometheus posts", b"[]", 400, "expected Alertmanager's webhook object; this is a list"),
    ("an empty object", b"{}", 400, 'version: expected "4"'),
    ("version 3", b'{"version": "3", "alerts": []}', 400, 'version: expected "4"'),
    ("version as a number", b'{"version": 4, "alerts": []}', 400, "this is a number"),
    ("a list of versions", b'{"version": ["4"], "alerts": []}', 400, "this is a list"),
    ("version given twice", b'{"version": "4", "version": "3"}', 400, "this is '3'"),
    ("a very long version", b'{"version": "' + b"4" * 99_999 + b'"}', 400, "…"),
    ("no alerts", b'{"version": "4"}', 400, "alerts: expected a list"),
    ("null alerts", b'{"version": "4", "alerts": null}', 400, "alerts: expected a list"),
    ("alerts in an object", b'{"version": "4", "alerts": {}}', 400, "alerts: expected a list"),
    ("empty alerts", b'{"version": "4", "alerts": []}', 400, "at least one alert"),
    ("more alerts than allowed", webhook(*[ALERT] * 21), 413, "At most 20 alerts"),
    # alerts that can never be valid
    ("an alert that is a text", webhook("Down"), 400, "alert 0: expected an alert"),
    ("an alert that is null", webhook(None), 400, "alert 0: expected an alert"),
    ("alerts in a list", webhook([ALERT]), 400, "alert 0: expected an alert"),
    ("no labels", webhook({"status": "firing"}), 400, "alert 0, labels: expected an object"),
    ("labels in a list", changed(labels=["a"]), 400, "alert 0, labels: expected an object"),
    ("no label", labels(), 400, "alert 0, labels: an alert needs at least one"),
    ("only empty labels", labels(a="", b=""), 400, "alert 0, labels: an alert needs at least one"),
    ("a label without a name", changed(labels={"": "x"}), 400, "name cannot be empty"),
    ("a label that is a number", labels(a=1), 400, "alert 0, labels.a: a label's value is a string"),
    ("a label that is null", labels(a=None), 400, "labels.a: a label's value is a string; this one is null"),
    ("a label that is a list", labels(a=[]), 400, "labels.a: a label's value is a string"),
    ("a label that is an object", labels(a={}), 400, "labels.a: a label's value is a string"),
    ("a label that is true", labels(a=True), 400, "labels.a: a label's value is a string"),
    ("129 labels", labels(**{f"l{n}": "x" for n in range(129)}), 400, "at most 128 labels"),
    ("a name of 1025 bytes", labels(**{"n" * 1025: "x"}), 400, "a label's name has at most 1024 bytes"),
    ("a name of 513 letters é", labels(**{"é" * 513: "x"}), 400, "a label's name has at most 1024 bytes"),
    ("a value of 16385 bytes", labels(a="v" * 16_385), 400, "a label's value has at most 16384 bytes"),
    ("a value of 8193 letters é", labels(a="é" * 8_193), 400, "a label's value has at most 16384 bytes"),
    ("a zero in a name", labels(**{"a\0b": "x"}), 400, "no control characters"),
    ("a name of 200000 bytes", labels(**{"n" * 200_000: 1}), 400, "…"),
    ("no status", webhook({"labels": {"a": "b"}}), 400, 'alert 0, status: expected "firing" or "resolved"'),
    ("a status in capitals", changed(status="FIRING"), 400, "this is 'FIRING'"),
    ("a status that is an object", changed(status={}), 400, "this is an object"),
    ("a time in seconds", changed(startsAt=1_795_424_000), 400, "alert 0, startsAt: expected a time"),
    ("a time without a zone", changed(startsAt="2026-11-23T08:50:00"), 400, "startsAt: expected a time"),
    ("a 30th of February", changed(startsAt="2026-02-30T00:00:00Z"), 400, "startsAt: there is no such time"),
    ("the year 10000", changed(startsAt="10000-01-01T00:00:00Z"), 400, "startsAt: expected a time"),
    ("the year 1492", changed(startsAt="1492-10-12T00:00:00Z"), 400, "in the years 1970 to 9999"),
    ("a very long time", changed(startsAt="2" * 99_999), 400, "…"),
    ("an end before the start", changed(endsAt="2026-11-23T08:49:59Z"), 400, "cannot end before it starts"),
    ("an end that is a list", changed(endsAt=[]), 400, "alert 0, endsAt: expected a time"),
    # too much
    ("a byte too much", GOOD.ljust(256 * KIB + 1), 413, "A body may have 262144 bytes"),
    ("twice too much", GOOD.ljust(512 * KIB), 413, "raise limits.body in Tocsin's configuration"),
]  # fmt: skip

FORM = {"content_type": "application/x-www-form-urlencoded"}
GZIP = {"content_encoding": "gzip"}
DEFLATE = {"content_encoding": "deflate"}

# what it is, path, body, headers, status, words of the answer
REQUESTS: list[tuple[str, str, bytes, dict[str, str], int, str]] = [
    ("no such path", "/webhooks", GOOD, {}, 404, "nothing at /webhooks"),
    ("an object where a list is expected", "/api/v2/alerts", GOOD, {}, 400, "expected a list of alerts"),
    ("a null where a list is expected", "/api/v2/alerts", b"null", {}, 400, "expected a list of alerts"),
    ("broken JSON posted", "/api/v2/alerts", b"[{]", {}, 400, "not JSON at line 1 column 3"),
    ("a posted alert without labels", "/api/v2/alerts", b"[{}]", {}, 400, "alert 0, labels"),
    ("posted nulls", "/api/v2/alerts", b"[null, null]", {}, 400, "2 are not valid; the first, alert 0:"),
    ("too many posted", "/api/v2/alerts", json.dumps([ALERT] * 21).encode(), {}, 413, "At most 20 alerts"),
    ("a form", "/webhook", GOOD, FORM, 415, "application/json"),
    ("plain text", "/webhook", GOOD, {"content_type": "text/plain"}, 415, "'text/plain'"),
    ("XML", "/webhook", GOOD, {"content_type": "text/xml"}, 415, "application/json"),
    ("an odd type", "/webhook", GOOD, {"content_type": "application/json/x"}, 415, "application/json"),
    ("Latin-1", "/webhook", GOOD, {"content_type": "application/json; charset=latin-1"}, 415, "in UTF-8"),
    ("Brotli", "/webhook", GOOD, {"content_encoding": "br"}, 415, "gzip or deflate"),
    ("Zstandard", "/webhook", GOOD, {"content_encoding": "zstd"}, 415, "gzip or deflate"),
    ("packed twice", "/webhook", PACKED, {"content_encoding": "gzip, gzip"}, 415, "gzip or deflate"),
    ("gzip that is none", "/webhook", GOOD, GZIP, 400, "not the gzip that it says"),
    ("deflate that is none", "/webhook", b"\xff" * 99, DEFLATE, 400, "not the deflate"),
    ("empty gzip", "/webhook", b"", GZIP, 400, "ends before its end"),
    ("cut gzip", "/webhook", PACKED[:-9], GZIP, 400, "ends before its end"),
    ("a wrong checksum", "/webhook", PACKED[:-8] + b"\0" * 8, GZIP, 400, "not the gzip"),
    ("gzip and more", "/webhook", PACKED + b"more", GZIP, 400, "goes on after"),
    ("cut deflate", "/webhook", zlib.compress(GOOD)[:-9], DEFLATE, 400, "ends before its end"),
    ("a gzip bomb", "/webhook", BOMB, GZIP, 413, "A body may have 262144 bytes, inflated"),
    ("broken JSON in gzip", "/webhook", gzip.compress(b"{"), GZIP, 400, "not JSON"),
    ("a page of another site", "/webhook", GOOD, {"origin": "http://evil.example.com"}, 403, "another site"),
    ("a foreign host name", "/webhook", GOOD, {"host": "evil.example.com"}, 403, "loopback names only"),
]  # fmt: skip


async def assert_alive_and_empty(edge) -> None:
    """Nothing was stored, and the next good webhook is taken."""
    assert edge.intake.taken == []
    answer = await edge.post("/webhook", GOOD)
    assert (answer.status, answer.document["accepted"]) == (200, 1)


def assert_problem(answer, status: int, words: str) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.document) >= {"type", "title", "status", "detail", "request_id"}
    assert answer.document["status"] == status
    assert words in answer.detail
    assert len(str(answer.document)) < 3_000
    assert "Traceback" not in str(answer.document)


@pytest.mark.parametrize(
    ("body", "status", "words"), [row[1:] for row in WEBHOOKS], ids=[row[0] for row in WEBHOOKS]
)
async def test_a_bad_webhook_is_refused_with_a_reason(edge, body, status, words):
    edge.limits = LIMITS
    assert_problem(await edge.post("/webhook", body), status, words)
    await assert_alive_and_empty(edge)


@pytest.mark.parametrize("row", REQUESTS, ids=[row[0] for row in REQUESTS])
async def test_a_bad_request_is_refused_with_a_reason(edge, row):
    _, path, body, headers, status, words = row
    edge.limits = LIMITS
    assert_problem(await edge.post(path, body, **headers), status, words)
    await assert_alive_and_empty(edge)


AT_THE_LIMIT = [
    ("128 labels", labels(**{f"l{n}": "x" for n in range(128)})),
    ("128 labels and one empty", labels(**{f"l{n}": "x" for n in range(128)}, empty="")),
    ("a name of 1024 bytes", labels(**{"n" * 1024: "x"})),
    ("a value of 16384 bytes", labels(a="v" * 16_384)),
    ("a value of all sorts", labels(a="\0\n<script>'\"\u202e🔒")),
    ("a name of all sorts", labels(**{"é.🔒 {}": "x"})),
    ("an unknown field nested deep", b'{"version":"4","x":' + b"[" * 999 + b"]" * 999 + GOOD[15:]),
    ("a huge number in an unknown field", webhook(ALERT, x=10**300)),
    ("a version given twice, the last counts", GOOD[:-1] + b', "version": "4"}'),
    ("the last second", changed(startsAt="9999-12-31T23:59:59Z")),
    ("annotations of the wrong type", changed(annotations=[1, 2])),
    ("a generatorURL of the wrong type", changed(generatorURL=5)),
    ("a truncatedAlerts of the wrong type", webhook(ALERT, truncatedAlerts="many")),
]


@pytest.mark.parametrize("body", [row[1] for row in AT_THE_LIMIT], ids=[row[0] for row in AT_THE_LIMIT])
async def test_what_is_only_strange_or_just_within_the_limits_is_taken(edge, body):
    edge.limits = LIMITS
    answer = await edge.post("/webhook", body)
    assert (answer.status, answer.document["invalid"], len(edge.intake.taken)) == (200, 0, 1)


# --- below HTTP's surface --------------------------------------------------------------------------------

HEAD = b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LONG = HEAD + b"Content-Length: %d\r\n\r\n" % (len(GOOD) + 5_000)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

CUT_OFF = [
    ("in the headers", HEAD),
    ("before the body", LONG),
    ("in the body", LONG + GOOD[:-5]),
    ("after what could be a whole body", LONG + GOOD),
    ("in a chunk", CHUNKED + b"%x\r\n" % len(GOOD) + GOOD[:-5]),
    ("before the last chunk", CHUNKED + b"%x\r\n" % len(GOOD) + GOOD + b"\r\n"),
]


@pytest.mark.parametrize("request_bytes", [row[1] for row in CUT_OFF], ids=[row[0] for row in CUT_OFF])
async def test_a_request_that_is_cut_off_stores_nothing(edge, request_bytes):
    assert await edge.raw(request_bytes, hang_up=True) is None
    await assert_alive_and_empty(edge)


@pytest.mark.parametrize(
    "request_bytes", [LONG, LONG + GOOD, CHUNKED, CHUNKED + b"%x\r\n" % len(GOOD) + GOOD]
)
async def test_a_body_that_is_too_slow_is_asked_for_again_and_never_answered_4xx(edge, request_bytes):
    edge.limits = LIMITS
    answer = await edge.raw(request_bytes)
    assert_problem(answer, 503, "not here within 0.1 s")
    assert (answer.headers["Retry-After"], answer.headers["Connection"]) == ("5", "close")
    await assert_alive_and_empty(edge)


MISFRAMED = [
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    ("a length that is no number", HEAD + b"Content-Length: many\r\n\r\n" + GOOD),
    ("a negative length", HEAD + b"Content-Length: -1\r\n\r\n" + GOOD),
    ("two lengths", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + GOOD),
    ("a length and chunks", HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + GOOD),
    ("a chunk size that is no number", CHUNKED + b"xyz\r\n" + GOOD),
    ("a header without end", HEAD + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n"),
    ("a thousand headers", HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(1_000)) + b"\r\n"),
]


@pytest.mark.parametrize("request_bytes", [row[1] for row in MISFRAMED], ids=[row[0] for row in MISFRAMED])
async def test_what_is_not_http_is_refused(edge, request_bytes):
    answer = await edge.raw(request_bytes)
    assert answer.status == 400
    assert "Traceback" not in str(answer.document)
    await assert_alive_and_empty(edge)


async def test_a_bomb_never_grows_far_beyond_the_limit_in_memory(edge):
    edge.limits = LIMITS
    tracemalloc.start()
    answer = await edge.post("/webhook", BOMB, **GZIP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status == 413
    assert peak < 4 * KIB * KIB  # of 64 MiB


def test_the_tables_are_as_long_as_they_should_be():
    assert len(WEBHOOKS) + len(REQUESTS) + len(CUT_OFF) + len(MISFRAMED) >= 100
