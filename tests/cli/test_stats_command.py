"""`tocsin stats` against a server with canned answers."""

import json

ASKED = ("GET", "/api/v1/stats?by=team&since=30d&office=09%3A00-18%3A00&zone=UTC")
NONE = {"count": 0, "mean": None, "p50": None, "p90": None}
DB = {
    "name": "db", "incidents": 12, "open": 1, "acknowledged": 9, "acknowledged_share": 0.75,
    "time_to_acknowledge": {"count": 9, "mean": 245.5, "p50": 180.0, "p90": 900.0},
    "time_to_resolve": {"count": 11, "mean": 7300.0, "p50": 3600.0, "p90": 90000.0},
    "pages": 30, "pages_out_of_hours": 14,
}  # fmt: skip
NOBODY = DB | {"name": None, "acknowledged_share": None, "time_to_acknowledge": NONE, "time_to_resolve": NONE}
ANSWER = {"by": "team", "since": None, "until": None, "office": "09:00-18:00", "rows": [DB, NOBODY]}
ANSWER["total"] = DB | {"name": None, "incidents": 24}


async def test_each_row_has_how_many_how_soon_and_how_often(server, tocsin):
    server.answers[ASKED] = 200, ANSWER
    ended = await tocsin("stats")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "TEAM   NUM  OPEN  ACK  MTTA  P50  P90   MTTR  P50    P90  PAGES  OFF",
        "db      12     1  75%    4m   3m  15m  2h 1m   1h  1d 1h     30   14",
        "-       12     1    -     -    -    -      -    -      -     30   14",
        "(all)   24     1  75%    4m   3m  15m  2h 1m   1h  1d 1h     30   14",
    ]


async def test_json_is_the_document_and_options_are_passed_on(server, tocsin):
    asked = "/api/v1/stats?by=person&since=7d&office=08%3A00-16%3A00&zone=Europe%2FBerlin"
    server.answers["GET", asked] = 200, ANSWER
    options = ["--by", "person", "--since", "7d", "--office", "08:00-16:00", "--zone", "Europe/Berlin"]
    ended = await tocsin("stats", *options, "-o", "json")
    assert json.loads(ended.out) == ANSWER


async def test_nothing_is_said_on_stderr(server, tocsin):
    server.answers[ASKED] = 200, ANSWER | {"rows": []}
    ended = await tocsin("stats")
    assert (ended.code, ended.out, ended.err) == (0, "", "No incidents since then.\n")
