"""`tocsin incidents ack|resolve|...`: what reaches the server, what is said of each number, and misuse."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli import spans

NOW = "2025-11-24T08:20:00.000Z"


def given(number, said="You have it now: #{} is acknowledged."):
    return {"number": number, "said": said.format(number), "changed": True, "incident": {}, "next": None}


@pytest.fixture
def sent(server):
    """What was posted, by path."""
    kept = {}

    async def keep():
        request = server.requests[-1]
        kept[request.path] = await request.json()

    server.before = keep
    return kept


@pytest.mark.parametrize(
    ("typed", "path", "body"),
    [
        (["ack", "42"], "acknowledge", {}),
        (["ack", "42", "--for", "1h30m"], "acknowledge", {"for": "1h30m"}),
        (
            ["ack", "42", "--until", "2999-01-01T00:00Z"],
            "acknowledge",
            {"until": "2999-01-01T00:00:00+00:00"},
        ),
        (["unack", "42"], "unacknowledge", {}),
        (["resolve", "42"], "resolve", {}),
        (["snooze", "42", "--for", "2h"], "snooze", {"for": "2h"}),
        (["escalate", "42"], "escalate", {}),
        (["reassign", "42", "--user", "kim"], "reassign", {"user": "kim"}),
        (["reassign", "42", "--schedule", "weekly"], "reassign", {"schedule": "weekly"}),
        (["reassign", "42", "--policy", "page"], "reassign", {"policy": "page"}),
        (["reassign", "42", "--team", "on_call"], "reassign", {"team": "on_call"}),
        (["respond", "42", "--user", "kim"], "responders", {"user": "kim"}),
        (["respond", "42", "--schedule", "weekly"], "responders", {"schedule": "weekly"}),
        (["note", "42", "-m", "disk swapped"], "notes", {"text": "disk swapped"}),
    ],
)
async def test_each_command_says_one_thing_to_the_incident(sent, server, tocsin, typed, path, body):  # noqa: PLR0917 - a table
    server.answers["POST", f"/api/v1/incidents/42/{path}"] = 200, given(42, "Said to #{}.")
    ended = await tocsin("incidents", *typed, USER="dana", LOGNAME="dana")
    assert (ended.code, ended.out, ended.err) == (0, "Said to #42.\n", "")
    assert sent == {f"/api/v1/incidents/42/{path}": body | {"by": "dana"}}
    assert server.requests[0].headers["User-Agent"] == "tocsin-cli"


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ([], {"by": "root"}),
        (["--as", "kim"], {"by": "kim"}),
        (["--token", "t"], {}),
        (["--as", "kim", "--token", "t"], {"by": "kim"}),
    ],
)
async def test_with_a_token_the_server_knows_who_it_is_and_as_names_somebody_else(
    server, tocsin, sent, options, by
):
    server.answers["POST", "/api/v1/incidents/42/resolve"] = 200, given(42)
    await tocsin("incidents", "resolve", "42", *options, USER="root", LOGNAME="root")
    assert sent["/api/v1/incidents/42/resolve"] == by


async def test_each_of_several_numbers_has_its_line_and_one_that_is_refused_stops_no_other(
    api, server, tocsin
):
    server.answers["POST", "/api/v1/incidents/1/acknowledge"] = 200, given(1)
    gone = api.problem(404, "Not Found", "There is no incident #2.")
    server.answers["POST", "/api/v1/incidents/2/acknowledge"] = 404, gone
    server.answers["POST", "/api/v1/incidents/3/acknowledge"] = 200, given(3)
    ended = await tocsin("incidents", "ack", "#1", "2", "3", "1")
    assert ended.code == 1
    assert ended.out == "You have it now: #1 is acknowledged.\nYou have it now: #3 is acknowledged.\n"
    assert ended.err == "#2: Not Found: There is no incident #2.\n"
    assert len(server.requests) == 3
    ended = await tocsin("incidents", "ack", "1", "2", "-o", "json")
    assert json.loads(ended.out) == {"answers": [given(1)], "problems": [{"id": "2", **gone}]}


async def test_what_concerns_all_of_them_ends_the_command(api, server, tocsin):
    said = "user: the configuration has no user 'kimm'; did you mean 'kim'?"
    server.answers["POST", "/api/v1/incidents/1/reassign"] = 400, api.problem(400, "Bad Request", said)
    ended = await tocsin("incidents", "reassign", "1", "2", "--user", "kimm")
    assert (ended.code, ended.out, ended.err) == (1, "", f"Error: Bad Request: {said}\n")
    assert len(server.requests) == 1


async def test_what_the_server_says_cannot_speak_to_the_terminal(server, tocsin):
    server.answers["POST", "/api/v1/incidents/1/notes"] = 200, given(1, "\x1b[2J noted in #{}")
    ended = await tocsin("incidents", "note", "1", "--text", "x")
    assert ended.out == "\\x1b[2J noted in #1\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["ack"], "Missing argument 'NUMBER...'."),
        (["ack", "42", "x"], "'x' is no incident; expected a number such as 1 or '#1'"),
        (["ack", "0"], "'0' is no incident"),
        (["ack", "1e3"], "'1e3' is no incident"),
        (["ack", "1", "--for", "1"], "a number without a unit; expected a duration such as 30s, 5m or 1h30m"),
        (["ack", "1", "--for", "0s"], "it must be longer than 0s"),
        (["ack", "1", "--for", "-1h"], "'-1h' is no duration"),
        (["ack", "1", "--for", "1h", "--until", "08:00"], "give one of them, not both or none"),
        (["snooze", "1"], "give one of them, not both or none"),
        (["snooze", "1", "--until", "24:00"], "'24:00' is no time; expected 08:00, a time with its zone"),
        (["snooze", "1", "--until", "8"], "'8' is no time; expected 08:00, a time with its zone"),
        (["snooze", "1", "--until", "2999-01-01"], "'2999-01-01' has no zone"),
        (["snooze", "1", "--until", "2999-01-01T08:00"], "'2999-01-01T08:00' has no zone"),
        (["snooze", "1", "--until", "tomorrow"], "'tomorrow' is no time"),
        (["reassign", "1"], "give exactly one of them"),
        (["reassign", "1", "--user", "a", "--policy", "b"], "give exactly one of them"),
        (["reassign", "1", "--team", "fax"], "'fax' is not one of 'slack', 'email', 'lead', 'manager',"),
        (["respond", "1"], "give exactly one of them"),
        (["respond", "1", "--policy", "page"], "No such option: --policy"),
        (["note", "1"], "Missing option '--text' / '-m'."),
        (["note", "1", "-m", " "], "the note is empty"),
        (["resolve", "1", "--for", "1h"], "No such option: --for"),
    ],
)
def test_what_is_typed_wrongly_is_misuse_in_one_clear_line(here, typed, said):
    ended = here("incidents", *typed)
    assert (ended.code, ended.out) == (2, "")
    error, hint = ended.err.splitlines()
    assert said in error
    assert hint.startswith("  Try `tocsin incidents")


@pytest.mark.parametrize("typed", ["00:00", "8:05", "08:05", "23:59"])
def test_a_time_of_day_is_the_next_one_on_the_clock_of_this_machine(typed):
    until = datetime.fromisoformat(spans.end("", typed)["until"])
    now = datetime.now(UTC)
    assert now < until <= now + timedelta(hours=25)
    assert until.astimezone().strftime("%H:%M") == typed.zfill(5)
