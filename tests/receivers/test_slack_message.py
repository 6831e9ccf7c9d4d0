"""How a Slack message looks, that it stays within Slack's limits, and that nothing in an alert pings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.schema import SlackConfig
from gateway.standins.slack_blocks import message_error, pings, unescaped
from receivers.render import Renderer
from receivers.slack_buttons import pressed
from receivers.slack_markup import cut, mentions, prose
from receivers.slack_message import news, thread_line, timeline_lines, whole_message
from routing.incident_records import Ack

if TYPE_CHECKING:
    from collections.abc import Callable

    from receivers.base import Message, ShownAlert
    from receivers.slack_message import Look

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

RENDERER = Renderer(seconds=0.2)
URL = "https://tocsin.example.com/incidents/1042"
NOW = 1_795_011_480_000  # that of the messages in conftest.py
LATER = ("Snooze 4 h", "Snooze until morning")


def look(message: Message, *, new: bool = True, **fields: Any) -> Look:
    return whole_message(SlackConfig.model_validate(fields), message, RENDERER, new=new)


def texts(shown: Look) -> list[str]:
    """What stands behind the coloured bar, part by part."""
    parts = []
    for block in shown.attachments[0]["blocks"]:
        inner = [block["text"]] if "text" in block else block.get("elements") or block["fields"]
        parts.append("\n".join(part["text"] for part in inner))
    return parts


# --- the default look ----------------------------------------------------------------------------------


def test_the_default_look_of_a_group(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(1), make_alert(2, annotations={"summary": "Slower"}), make_alert(3, "resolved")]
    shown = look(make_message(alerts))
    when = "<!date^1795010700^{date_short_pretty} {time}|2026-11-18 14:05 UTC>"
    told = "2 alerts: api-1:8000, api-2:8000"
    assert shown.text == f"🔴 HighAPIResponseTime · eu-west: {told} (2 firing)"
    assert shown.blocks[0]["text"]["text"] == f"🔴 *<{URL}|HighAPIResponseTime · eu-west>*"
    assert shown.attachments[0]["color"] == "#c8281e"
    listed = (
        "*2 firing, 1 resolved*",
        "• `instance=api-1:8000` High API response time detected",
        "• `instance=api-2:8000` Slower",
        "✓ `instance=api-3:8000` resolved — High API response time detected",
    )
    links = (
        f"<{URL}|Incident #1042>",
        "<https://docs.example.com/latency|Runbook>",
        "<http://prometheus.example.com/graph?g0.expr=up|Source>",
    )
    assert texts(shown) == [
        f"*{told}*",
        "\n".join(listed),
        "  ·  ".join(links),
        f"critical  ·  firing since {when}  ·  job: backend",
    ]


def test_a_single_alert_shows_its_description_and_no_list(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    shown = look(make_message([make_alert(annotations={"description": "See https://x.example/a?b=1&c=2."})]))
    assert texts(shown)[0] == ("*High API response time detected*\nSee <https://x.example/a?b=1&amp;c=2>.")
    assert "instance: api-1:8000" in texts(shown)[-1]


def test_a_line_says_what_only_its_alert_says(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(n, annotations={"description": f"disk {n} is full"}) for n in range(2)]
    shown = texts(look(make_message(alerts)))
    assert shown[0] == "*High API response time detected*"
    assert shown[1].endswith("• `instance=api-0:8000` disk 0 is full\n• `instance=api-1:8000` disk 1 is full")


def test_the_end_shows_from_when_to_when(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    shown = look(make_message([make_alert(1, "resolved"), make_alert(2, "resolved")]), new=False)
    assert shown.blocks[0]["text"]["text"].endswith("— resolved after 13m")
    assert "*2 resolved*\n✓ `instance=api-1:8000`" in texts(shown)[1]
    assert "fired from <!date^1795010700^" in texts(shown)[-1]
    assert " to <!date^" in texts(shown)[-1]
    assert shown.attachments[0]["color"] == "#1a7f37"


def test_an_alert_that_came_late_fires_since_it_began(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    began = 1_795_007_100_000  # an hour before the incident was opened
    firing = make_message([make_alert(starts_at=began)], reason="repeat interval elapsed")
    ended = make_message([make_alert(1, "resolved", starts_at=began)])
    assert "firing since <!date^1795007100^" in texts(look(firing))[-1]
    assert news(firing) == "still firing after 1h 13m"
    assert "fired from <!date^1795007100^" in texts(look(ended))[-1]
    assert news(ended) == "resolved after 1h 13m"


@pytest.mark.parametrize(
    ("severity", "emoji", "color"),
    [
        ("critical", "🔴", "#c8281e"),
        ("high", "🟠", "#bc4c00"),
        ("warning", "🟡", "#9a6700"),
        ("info", "🔵", "#0969da"),
        ("", "🟠", "#bc4c00"),
    ],
)
def test_severity_shows_as_colour_and_sign(
    make_message: MakeMessage, severity: str, emoji: str, color: str
) -> None:
    shown = look(make_message(severity=severity))
    assert shown.text.startswith(emoji)
    assert shown.attachments[0]["color"] == color


def test_a_severity_of_the_configurations_own_has_the_colour_of_its_grade(make_message: MakeMessage) -> None:
    shown = look(make_message(severity="sev4", grade="info"))
    assert shown.text.startswith("🔵")
    assert shown.attachments[0]["color"] == "#0969da"


def test_labels_of_the_route_can_be_shown(make_message: MakeMessage) -> None:
    shown = look(make_message(route_labels={"team": "<db>"}), text="for {{ route_labels.team }}")
    assert "for &lt;db&gt;" in texts(shown)


def test_of_many_alerts_the_first_ten_are_listed_and_all_are_counted(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    shown = look(make_message([make_alert(n) for n in range(50)], firing=4_711))
    assert texts(shown)[1].startswith("*4711 firing*")
    assert texts(shown)[1].endswith("_and 4701 more_")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"kind": "update", "reason": "some alerts resolved"}, ""),
        ({"reason": "new alerts added", "new_firing": 1}, "1 more alert fires, 2 in all"),
        ({"reason": "new alerts added", "new_firing": 2}, "2 more alerts fire, 2 in all"),
        ({"reason": "step 2: escalated", "new_firing": 2}, "step 2: escalated"),
        ({"reason": "step 2: escalated", "new_firing": 1}, "1 more alert fires, 2 in all"),
        ({"reason": "repeat interval elapsed"}, "still firing after 13m"),
        ({"reason": "<severity> rose"}, "&lt;severity&gt; rose"),
    ],
)
def test_what_is_new_is_said_in_a_few_words(
    make_message: MakeMessage, changes: dict[str, Any], expected: str
) -> None:
    assert news(make_message(**changes)) == expected


def test_the_thread_names_the_alerts_that_started_last(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    late = make_alert(3, starts_at=1_795_011_000_000)
    message = make_message([make_alert(1), make_alert(2), late], reason="new alerts added", new_firing=1)
    line = thread_line(SlackConfig(), message, RENDERER).blocks[0]["text"]["text"]
    assert line.startswith("🔴 *1 more alert fires, 3 in all*\n• `instance=api-3:8000` since <!date^")
    assert "api-1" not in line


def test_a_test_is_marked(make_message: MakeMessage) -> None:
    shown = look(make_message(test=True, incident=0, url="https://root.example", reason="test"))
    assert shown.blocks[0]["text"]["text"] == "🧪 *[TEST]* *HighAPIResponseTime · eu-west*"
    assert shown.text == "🧪 [TEST] HighAPIResponseTime · eu-west: High API response time detected"
    assert "a test: somebody tries this receiver, nothing is wrong" in texts(shown)[-1]
    everything = str(shown.arguments())
    assert not [word for word in ("Incident", "#0", "firing", "root.example") if word in everything]


def test_a_test_is_marked_even_where_templates_write_it(make_message: MakeMessage) -> None:
    shown = look(make_message(test=True), title="Fire!", fallback="Fire!")
    assert "*[TEST]*" in shown.blocks[0]["text"]["text"]
    assert shown.text == "[TEST] Fire!"


# --- what the user's templates replace -----------------------------------------------------------------


def test_templates_replace_the_parts(make_message: MakeMessage) -> None:
    shown = look(
        make_message(),
        title="{{ name }} in {{ common_labels.cluster }}",
        title_link="https://wiki.example/{{ name }}?a=1&b=2",
        text="{{ firing }} <!here>",
        fallback="short: {{ name }}",
        color="warning",
        fields=[{"title": "Job", "value": "{{ common_labels.job }}"}],
    )
    link = "https://wiki.example/HighAPIResponseTime?a=1&amp;b=2"
    assert shown.blocks[0]["text"]["text"] == f"🔴 *<{link}|HighAPIResponseTime in eu-west>*"
    assert texts(shown)[:2] == ["2 <!here>", "*Job*\nbackend"]
    assert (shown.text, shown.attachments[0]["color"]) == ("short: HighAPIResponseTime", "#9a6700")
    assert "job: backend" not in texts(shown)[-1]


def test_what_a_template_writes_pings_and_what_a_label_says_does_not(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    alert = make_alert(labels={"team": "<!channel> & co"})
    shown = look(make_message([alert]), text="<!here> {{ common_labels.team }}")
    assert texts(shown)[0] == "<!here> &lt;!channel&gt; &amp; co"
    assert pings(shown.arguments()) == ["here"]


def test_a_template_that_fails_falls_back_with_a_note(make_message: MakeMessage) -> None:
    shown = look(make_message(), title="{{ .Labels }}", color="reddish", mention="@nobody")
    assert "HighAPIResponseTime · eu-west" in shown.blocks[0]["text"]["text"]
    assert shown.attachments[0]["color"] == "#c8281e"
    assert len(shown.notes) == 3
    assert all(any(part in note for note in shown.notes) for part in ("Jinja2", "'@nobody'", "'reddish'"))


@pytest.mark.parametrize(
    ("said", "expected", "wrong"),
    [
        ("@here", "<!here>", []),
        ("channel, <!everyone>", "<!channel> <!everyone>", []),
        ("U0123456 <@W0123456>", "<@U0123456> <@W0123456>", []),
        ("S0123456 <!subteam^S0123456|@ops>", "<!subteam^S0123456> <!subteam^S0123456>", []),
        ("@dana #ops", "", ["@dana", "#ops"]),
        ("", "", []),
    ],
)
def test_mentions_are_groups_and_ids(said: str, expected: str, wrong: list[str]) -> None:
    assert mentions(said) == (expected, wrong)


def test_a_mention_can_depend_on_the_severity(make_message: MakeMessage) -> None:
    template = "{{ '@here' if severity == 'critical' }}"
    assert [
        pings(look(make_message(severity=s), mention=template).arguments()) for s in ("critical", "low")
    ] == [
        ["here"],
        [],
    ]


# --- who has it, what comes next, and the buttons ------------------------------------------------------


BOT = {"app_token": "xoxb-1", "channel": "#alerts"}
DANA = Ack("Dana", "PagerDuty", NOW - 60_000)


def below(message: Message, **fields: Any) -> list[str]:
    """What the buttons say, and the menu's options after them; nothing where there are none."""
    block = look(message, **BOT | fields).attachments[0]["blocks"][-1]
    found = []
    for element in block["elements"] if block["type"] == "actions" else ():
        options = element.get("options") or [element]
        found += [option["text"]["text"] for option in options]
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["Acknowledge", "Resolve", "Snooze 1 h", *LATER, "Show the timeline"]),
        (
            {"escalates": True},
            ["Acknowledge", "Resolve", "Snooze 1 h", *LATER, "Escalate now", "Show the timeline"],
        ),
        (
            {"escalates": True, "acknowledged": DANA},
            ["Resolve", "Snooze 1 h", *LATER, "Escalate now", "Unacknowledge", "Show the timeline"],
        ),
        ({"status": "resolved", "kind": "end"}, []),
        ({"answerable": False, "test": True}, []),
    ],
)
def test_the_buttons_are_those_that_make_sense_now(
    make_message: MakeMessage, changes: dict[str, Any], expected: list[str]
) -> None:
    assert below(make_message(**{"answerable": True} | changes)) == expected


@pytest.mark.parametrize(
    "fields", [{"buttons": False}, {"app_token": None, "api_url": "https://hooks.example/"}]
)
def test_there_are_no_buttons_where_they_are_not_wanted_or_the_message_cannot_be_edited(
    make_message: MakeMessage, fields: dict[str, Any]
) -> None:
    assert below(make_message(answerable=True), **fields) == []


def test_each_button_carries_the_incident_and_the_delivery(make_message: MakeMessage) -> None:
    message = make_message(answerable=True, delivery="42.1-1795010700000", acknowledged=DANA, escalates=True)
    block = look(message, **BOT).attachments[0]["blocks"][-1]
    actions = [{**element, "block_id": block["block_id"]} for element in block["elements"]]
    options = [{**actions[-1], "selected_option": option} for option in actions[-1]["options"]]
    found = [pressed(action) for action in (*actions[:-1], *options)]
    assert {(one.incident, one.delivery, one.opened_at, one.ring) for one in found if one} == {
        (1042, "42.1", 1_795_010_700_000, 1)
    }
    assert [one.what if one else "" for one in found] == [
        *("resolve", "snooze", "snooze-4h", "snooze-morning", "escalate", "unack", "show")
    ]


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"block_id": "tocsin_answer", "value": 42},
        {"block_id": "tocsin_answer", "value": "delete 42 42.1-1 1"},
        {"block_id": "tocsin_answer", "value": "ack 42 42.1-1 1; rm"},
        {"block_id": "another", "value": "ack 42 42.1-1 1"},
        {"block_id": "tocsin_answer", "action_id": "more", "selected_option": None},
    ],
)
def test_a_press_of_something_else_is_none_of_ours(action: dict[str, Any]) -> None:
    assert pressed(action) is None


def test_the_message_says_who_has_it_and_what_comes_next(make_message: MakeMessage) -> None:
    ack = Ack("Dana <!here>", "Slack", NOW - 60_000, until=NOW + 86_400_000)
    upcoming = {"upcoming": "step 2: team lead & co", "upcoming_at": NOW + 240_000}
    shown = look(make_message(acknowledged=ack, **upcoming), new=False)
    [said] = [text for text in texts(shown) if "has it" in text]
    has, following = said.splitlines()
    assert has.startswith(
        "✋ *Dana &lt;!here&gt;* has it since <!date^1795011420^{time_secs}|14:17:00 UTC> (Slack), until"
    )
    assert "{date_short_pretty}" in has
    assert following == "Next: step 2: team lead &amp; co at <!date^1795011720^{time_secs}|14:22:00 UTC>"
    assert shown.text.endswith("(acknowledged by Dana &lt;!here&gt;)")
    assert pings(shown.arguments()) == []


def test_an_end_says_nothing_of_what_came_next(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    over = make_message(
        [make_alert(status="resolved")], acknowledged=DANA, upcoming="step 2", upcoming_at=NOW
    )
    everything = str(look(over).arguments())
    assert "Dana" not in everything
    assert "Next" not in everything


def test_lines_of_the_timeline_are_cut_into_sections_and_escaped(make_message: MakeMessage) -> None:
    lines = tuple((NOW + n, f"<!channel> {n} " + "x" * 600) for n in range(20))
    shown = timeline_lines(make_message(), lines).arguments()
    assert message_error(shown) == ""
    assert pings(shown) == []
    assert len(shown["blocks"]) == 4


# --- limits and escaping -------------------------------------------------------------------------------

_HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "<!channel>", "<@U0123456>", "@here @channel", "<!subteam^S0123456>", "a & b < c > d", "`" * 9,
            "<https://evil.example|click>", "&amp;<", "*_~", "\n\n> quote", "x" * 5_000,
            "&" * 3_000, "🔥" * 2_000,
            "{{ 7 * 7 }}", "https://x.example/" + "<&|>" * 200,
        ]
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_HOSTILE, min_size=4, max_size=4), count=st.sampled_from([1, 2, 12]))
def test_whatever_alerts_say_slack_takes_it_and_nobody_is_pinged(
    make_message: MakeMessage, make_alert: MakeAlert, texts: list[str], count: int
) -> None:
    one, two, three, four = texts
    said = {"summary": one, "description": two, "runbook_url": three, "dashboard": four}
    alerts = [
        make_alert(n, labels={"a": one, "b": f"{n}{two}", "alertname": three}, annotations=said)
        for n in range(count)
    ]
    message = make_message(
        alerts,
        group_labels={"alertname": three, "b": two},
        severity=four,
        reason=two,
        new_firing=count - 1,
        ring=2,
        acknowledged=Ack(one, two, NOW, NOW) if count > 1 else None,
        upcoming=three,
        history=tuple((NOW, text) for text in texts * 5),
        answerable=True,
        escalates=True,
    )
    config = SlackConfig(
        text="{{ common_labels.a }} {{ summary }} {{ acknowledged_by }} {{ upcoming }} {{ history }}",
        title="{{ common_labels.alertname }}",
    )
    for made in (
        look(message, **BOT),
        whole_message(config, message, RENDERER, new=True),
        thread_line(config, message, RENDERER, message.history),
        timeline_lines(message, message.history),
    ):
        arguments = made.arguments()
        assert message_error(arguments) == ""
        assert pings(arguments) == []
        assert unescaped(arguments) == []


def test_templates_that_print_much_are_cut(make_message: MakeMessage) -> None:
    long = "{% for n in range(5000) %}<https://x.example/{{ n }}|n> {% endfor %}"
    fields = [{"title": long, "value": long}] * 30
    shown = look(make_message(), title=long, text=long, fallback=long, fields=fields)
    assert message_error(shown.arguments()) == ""
    assert unescaped(shown.arguments()) == []


def test_a_cut_never_leaves_half_a_link_or_half_an_escape() -> None:
    assert cut("abc &amp; def", 8) == "abc…"
    assert cut("see <https://x.example|this> now", 20) == "see…"
    assert cut("short", 5) == "short"
    assert len(prose("x" * 10_000)) == 1_500
