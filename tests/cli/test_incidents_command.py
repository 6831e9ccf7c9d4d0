"""`tocsin incidents list|show` against a server with canned answers."""

import json

import pytest

LIST = ("GET", "/api/v1/incidents?status=open&limit=50")


async def test_open_incidents_are_listed_in_the_servers_order_with_their_age(api, server, tocsin):
    server.answers[LIST] = 200, api.listed
    ended = await tocsin("incidents", "list")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        (
            "   #  STATUS        SEVERITY  FIRING    OPENED     WHO             "
            "RECEIVER                            LABELS"
        ),
        (
            "1042  triggered     critical  3 of 4    5m ago     -               "
            "pagerduty                           alertname=HighErrorRate cluster=eu-1"
        ),
        (
            "1041  acknowledged  high      1 of 1    3h 9m ago  dana, 50m left  "
            'slack-alerts                        alertname=DiskWillFill mountpoint="/var/lib/docker data"'
        ),
        (
            " 987  pending       -         12 of 12  2d 2h ago  -               "
            "a-receiver-with-a-rather-long-name"
        ),
    ]


async def test_on_a_narrow_terminal_no_number_is_cut_and_no_line_is_too_long(api, server, tocsin):
    server.answers[LIST] = 200, api.listed
    ended = await tocsin("incidents", "list", COLUMNS="60")
    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[:3] == [
        "   #  STATUS        SEVERITY  FIRING    OPENED",
        "1042  triggered     critical  3 of 4    5m ago",
        "    -  pagerduty  alertname=HighErrorRate cluster=eu-1",
    ]


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
async def test_colour_is_for_terminals_and_no_color_switches_it_off(api, server, tocsin, env, coloured):
    server.answers[LIST] = 200, api.listed
    ended = await tocsin("incidents", "list", **env)
    assert ("\x1b[" in ended.out) is coloured


async def test_json_is_the_apis_document_unchanged(api, server, tocsin):
    server.answers[LIST] = 200, api.listed | {"added_later": True}
    ended = await tocsin("incidents", "list", "--output", "json")
    assert json.loads(ended.out) == api.listed | {"added_later": True}


async def test_nothing_open_is_said_on_stderr_and_is_no_failure(server, tocsin):
    server.answers[LIST] = 200, {"incidents": []}
    ended = await tocsin("incidents", "list")
    assert (ended.code, ended.out, ended.err) == (0, "", "No open incidents.\n")


async def test_status_and_limit_reach_the_server_and_a_full_page_says_that_there_may_be_more(
    api, server, tocsin
):
    server.answers["GET", "/api/v1/incidents?status=resolved&limit=1"] = 200, {"incidents": [api.incident()]}
    ended = await tocsin("incidents", "list", "--status", "resolved", "--limit", "1")
    assert (ended.code, ended.err) == (0, "The newest 1 are shown; --limit N shows more.\n")


async def test_what_is_asked_for_reaches_the_server_and_what_is_not_does_not(server, tocsin):
    path = "/api/v1/incidents?status=triggered&limit=50&team=web&severity=high&person=dana&mine=true"
    server.answers["GET", path] = 200, {"incidents": []}
    asked = ("--status", "triggered", "--team", "web", "--severity", "high", "--person", "dana", "--mine")
    ended = await tocsin("incidents", "list", *asked)
    assert (ended.code, ended.err) == (0, "No triggered incidents that are asked for.\n")


async def test_who_has_an_incident_what_comes_next_and_what_is_related_are_shown(api, server, tocsin):
    more = {
        "status": "acknowledged",
        "policy": "page",
        "team": "backend",
        "acknowledged_by": "dana",
        "acknowledged_via": "Slack",
        "acknowledged_at": "2025-11-24T08:16:00.000Z",
        "acknowledged_until": "2025-11-24T08:46:00.000Z",
        "next": {"text": "step 3: user kim: email", "at": "2025-11-24T08:29:30.000Z"},
        "related": [api.incident(number=1043, policy="other")],
    }
    server.answers["GET", "/api/v1/incidents/1042"] = 200, api.story | more
    ended = await tocsin("incidents", "show", "1042")
    assert (ended.code, ended.err) == (0, "")
    assert "  Receiver" not in ended.out
    for line in (
        "#1042  acknowledged  critical",
        "  Policy        page",
        "  Team          backend",
        "  Acknowledged  by dana (Slack) 4m ago, until 2025-11-24 08:46:00 UTC (in 26m)",
        "  Next          step 3: user kim: email, in 9m",
        "  Related       #1043 triggered, policy:other",
    ):
        assert line in ended.out.splitlines()


async def test_one_incident_is_shown_with_its_alerts_deliveries_and_timeline(api, server, tocsin):
    server.answers["GET", "/api/v1/incidents/1042"] = 200, api.story
    ended = await tocsin("incidents", "show", "1042")
    assert (ended.code, ended.err) == (0, "")
    for line in (
        "#1042  triggered  critical",
        '  Route      {}/{severity="critical"}',
        "  Opened     2025-11-24 08:14:30 UTC  (5m ago)",
        "Alerts (4)",
        "  All have  alertname=HighErrorRate cluster=eu-1 severity=critical",
        "  firing    5m ago   -       instance=web-1:8080  5% of requests fail on web-1:8080",
        (
            "  resolved  5m ago   1m ago  instance=web-3:8080  5% of requests fail on web-3:8080  "
            "no longer reported"
        ),
        (
            "  1042.slack.0      dead     slack-alerts/slack[0]   1       never sent   "
            "#backend  Slack refused it: channel_not_found"
        ),
        "  2025-11-24 08:15:00 UTC  triggered with 2 alerts",
        "  2025-11-24 08:15:01 UTC  told (first notification) — on-call, slack:#ops",
    ):
        assert line in ended.out.splitlines()


async def test_what_is_held_is_counted_and_an_incident_that_is_all_held_is_suppressed(api, server, tocsin):
    some = api.incident(number=7, held=2)
    whole = api.incident(number=6, severity=None, firing=0, held=3, resolved=0, suppressed=True)
    server.answers[LIST] = 200, {"incidents": [some, whole]}
    ended = await tocsin("incidents", "list")
    assert [line[:58].rstrip() for line in ended.out.splitlines()] == [
        "#  STATUS                 SEVERITY  FIRING          OPENED",
        "7  triggered              critical  3 of 6, 2 held  5m ago",
        "6  triggered, suppressed  -         0 of 3, 3 held  5m ago",
    ]


async def test_an_incident_says_of_each_alert_by_what_it_is_held(api, server, tocsin):
    silence = {"kind": "silence", "text": "silence 1 by dana, until 2025-11-24 12:00:00 UTC", "silence": "1"}
    changes = {"firing": 0, "held": 3, "suppressed": True, "suppressed_by": "every alert that fires is held"}
    alerts = [{**api.story["alerts"][0], "held_by": silence}, {**api.story["alerts"][1], "held_by": None}]
    server.answers["GET", "/api/v1/incidents/1042"] = 200, api.story | changes | {"alerts": alerts}
    ended = await tocsin("incidents", "show", "1042")
    for line in (
        "#1042  triggered, suppressed  critical",
        "  Firing      0 of 4 alerts, 3 held",
        "  Suppressed  every alert that fires is held",
        (
            "  held    5m ago   -      instance=web-1:8080  5% of requests fail on web-1:8080  "
            "held: silence 1 by dana, until 2025-11-24 12:00:00 UTC"
        ),
        "  firing  5m ago   -      instance=web-2:8080  5% of requests fail on web-2:8080",
    ):
        assert line in ended.out.splitlines()


async def test_an_incident_with_more_alerts_than_are_shown_says_so(api, server, tocsin):
    server.answers["GET", "/api/v1/incidents/1042"] = 200, api.story | {"firing": 9_000, "resolved": 1_000}
    ended = await tocsin("incidents", "show", "1042")
    assert "Alerts (the first 4 of 10000)" in ended.out


async def test_an_incident_of_which_little_is_known_is_shown_all_the_same(server, tocsin):
    server.answers["GET", "/api/v1/incidents/7"] = 200, {"number": 7, "status": "pending", "labels": None}
    ended = await tocsin("incidents", "show", "7")
    assert (ended.code, ended.out, ended.err) == (0, "#7  pending\n  Firing  0 of 0 alerts\n", "")


async def test_a_number_can_be_written_as_messages_write_it(server, tocsin):
    server.answers["GET", "/api/v1/incidents/7"] = 200, {"number": 7, "status": "pending"}
    ended = await tocsin("incidents", "show", "#7")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "#7  pending")


@pytest.mark.parametrize("number", ["0", "#", "##1", "-1", "#-1", "one", "1.0", "²", "9" * 5000])
def test_what_is_no_number_is_misuse(here, number):
    ended = here("incidents", "show", "--", number)
    assert (ended.code, ended.out) == (2, "")


async def test_an_unknown_number_is_answered_no_in_the_servers_words(server, tocsin):
    ended = await tocsin("incidents", "show", "7")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "Error: Not found: there is nothing at /api/v1/incidents/7\n"


@pytest.mark.parametrize("output", ["text", "json"])
async def test_labels_cannot_speak_to_the_terminal(api, server, tocsin, output):
    evil = {
        "alertname": "\x1b]0;owned\x07\x1b[2J",
        "c1": "\x9b31m",
        "bidi": "a\u202eb",
        "city": "Zürich 東京 🔥",
    }
    story = api.story | {"labels": evil, "alerts": [{"labels": evil, "annotations": {"summary": "\x1b[5m"}}]}
    server.answers["GET", "/api/v1/incidents/1042"] = 200, story
    ended = await tocsin("incidents", "show", "1042", "--output", output, FORCE_COLOR="1", NO_COLOR="1")
    assert ended.code == 0
    assert not set("\x1b\x07\x9b\u202e") & set(ended.out)
    assert "Zürich 東京 🔥" in ended.out


async def test_a_terminal_that_knows_only_ascii_gets_codes_instead_of_an_error(api, server, tocsin):
    server.answers[LIST] = 200, {"incidents": [api.incident(labels={"city": "Zürich"})]}
    ended = await tocsin("incidents", "list", PYTHONIOENCODING="ascii")
    assert (ended.code, "city=Z\\xfcrich" in ended.out) == (0, True)
    document = await tocsin("incidents", "list", "-o", "json", PYTHONIOENCODING="ascii")
    assert json.loads(document.out)["incidents"][0]["labels"] == {"city": "Zürich"}


async def test_a_reader_that_goes_away_ends_the_command_without_a_word(api, server, shell):
    many = [api.incident(number=number, labels={"long": "x" * 500}) for number in range(1000)]
    server.answers[LIST] = 200, {"incidents": many}
    ended = await shell("tocsin incidents list | head -1; echo ${PIPESTATUS[0]}")
    assert (ended.out.splitlines()[1:], ended.err) == (["141"], "")
