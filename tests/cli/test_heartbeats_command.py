"""`tocsin heartbeats` against a server with canned answers."""

import json

LIST = ("GET", "/api/v1/heartbeats")
ALIVE = {
    "name": "prometheus", "state": "alive", "last_beat": "2025-11-24T08:15:00.000Z",
    "known_since": "2025-11-20T08:15:00.000Z", "next_by": "2025-11-24T08:25:00.000Z", "missing_since": None,
    "timeout": "10m", "ways": ["alert"], "matchers": '{alertname="Watchdog"}', "labels": {},
}  # fmt: skip
MISSING = ALIVE | {
    "name": "backup", "state": "missing", "last_beat": "2025-11-24T06:20:00.000Z", "ways": ["http"],
    "missing_since": "2025-11-24T07:20:00.000Z", "matchers": None,
}  # fmt: skip
WAITING = ALIVE | {"name": "new", "state": "waiting", "last_beat": None, "ways": ["http"]}


async def test_heartbeats_are_listed_and_one_that_is_missing_is_a_no(server, tocsin):
    server.answers[LIST] = 200, {"heartbeats": [ALIVE, MISSING, WAITING]}
    ended = await tocsin("heartbeats")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.splitlines() == [
        "HEARTBEAT   STATE    LAST BEAT  MISSING FROM  WAYS",
        'prometheus  alive    5m ago     in 5m         {alertname="Watchdog"}',
        "backup      missing  2h ago     1h ago        http",
        "new         waiting  -          in 5m         http",
    ]


async def test_all_alive_is_a_yes_and_json_is_the_document(server, tocsin):
    server.answers[LIST] = 200, {"heartbeats": [ALIVE]}
    ended = await tocsin("heartbeats", "--output", "json")
    assert (ended.code, json.loads(ended.out)) == (0, {"heartbeats": [ALIVE]})


async def test_none_is_said_on_stderr(server, tocsin):
    server.answers[LIST] = 200, {"heartbeats": []}
    ended = await tocsin("heartbeats")
    assert (ended.code, ended.out, ended.err) == (0, "", "No heartbeats are configured.\n")


def test_a_beat_goes_to_no_route_and_that_is_said(here, tmp_path):
    file = tmp_path / "tocsin.yaml"
    heartbeat = 'heartbeats: [{name: eu, matchers: [alertname="Watchdog"], timeout: 10m}]\n'
    file.write_text("route: {receiver: all}\nreceivers: [{name: all}]\n" + heartbeat)
    ended = here("routes", "test", "--config", str(file), "alertname=Watchdog")
    assert (ended.code, ended.out) == (0, "\n")
    assert ended.err == "It is a beat of eu (heartbeats): no route takes it, and nobody is told.\n"
    lines = tmp_path / "alerts.jsonl"
    lines.write_text('{"alertname": "Watchdog"}\n{"alertname": "Other"}\n')
    ended = here("routes", "test", "--config", str(file), "--batch", str(lines))
    assert [json.loads(line)["receivers"] for line in ended.out.splitlines()] == [[], ["all"]]
