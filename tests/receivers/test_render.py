"""What templates can use, what they cannot do, and that no template keeps a page from going out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receivers.filters import duration, safe_url, slack
from receivers.render import Renderer, TemplateError, default_text
from receivers.wording import since, summary, title

if TYPE_CHECKING:
    from collections.abc import Callable

    from receivers.base import Message, ShownAlert

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

RENDERER = Renderer(seconds=0.2)
UNHURRIED = Renderer()  # what must not fail because the machine has much to do
URL = "https://tocsin.example.com/incidents/1042"
TITLE = "[FIRING:2] HighAPIResponseTime eu-west — High API response time detected"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no template at all", "no template at all"),
        ("{{ title }}", TITLE),
        (
            "{{ common_labels.cluster }}/{{ common_labels.absent }}/{{ common_labels.absent.more }}",
            "eu-west//",
        ),
        ("{{ alerts | map(attribute='labels.instance') | join(', ') }}", "api-1:8000, api-2:8000"),
        (
            "{% for a in alerts %}{{ loop.index }}/{{ loop.length }}:{{ a.labels.instance }} {% endfor %}",
            "1/2:api-1:8000 2/2:api-2:8000 ",
        ),
        ("{% for k, v in alerts[0].own_labels.items() %}{{ k }}={{ v }}{% endfor %}", "instance=api-1:8000"),
        ("{{ firing + 1 }} {{ 7 % 4 }} {{ 6 * 7 }} {{ '%.1f' | format(2.345) }}", "3 3 42 2.3"),
        ("{{ opened_at | time }} {{ opened_at | datetime }}", "14:05:00 UTC 2026-11-18 14:05 UTC"),
        (
            "{{ opened_at | iso }} {{ duration | duration }} [{{ resolved_at | time }}]",
            "2026-11-18T14:05:00Z 13m []",
        ),
        (
            "{{ 'abcdefghij' | truncate(5) }} {{ 'a<b' | slack }} {{ 'a-b' | replace('-', '+') }}",
            "abcd… a&lt;b a+b",
        ),
        (
            "{% set n = namespace(c=0) %}{% for a in alerts %}{% set n.c = n.c + 2 %}{% endfor %}{{ n.c }}",
            "4",
        ),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) ~ m('a') }}", "<1><a>"),
        ("{{ common_labels['severity'] | upper }} {{ 'javascript:x' | url }}|", "CRITICAL |"),
        ("{{ {'a': [1, 2]} | tojson }}", '{"a": [1, 2]}'),
        ("{{ alerts | join('+', attribute='labels.instance') }}", "api-1:8000+api-2:8000"),
        ("{{ 3.14159 | round(2) }} {{ 2 | round(999999999) }}", "3.14 2.0"),
        ("{{ alerts[0] }} {{ alerts[9].labels.x }}|", "HighAPIResponseTime (firing) |"),
    ],
)
def test_a_template_can_use_the_incident(make_message: MakeMessage, template: str, expected: str) -> None:
    assert RENDERER.render(template, make_message()) == expected


def grown(step: str) -> str:
    """A template that does `step` a hundred times to `n.x`."""
    return "{% set n = namespace(x='ab') %}{% for i in range(99) %}" + step + "{% endfor %}"


HOSTILE = {
    "loops in loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "filters in loops": "{% for a in range(9999) %}{{ range(9999) | sum }}{% endfor %}",
    "macros that call themselves twice": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}"
    "{% endmacro %}{{ f(60) }}",
    "endless recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a recursive loop": "{% for a in alerts recursive %}{{ loop(alerts) }}{% endfor %}",
    "string multiplication": "{{ 'a' * 1000000000 }}",
    "list multiplication": "{{ ([1] * 1000000000) | length }}",
    "powers": "{{ 10 ** 1000000000 }}",
    "products that grow": "{% set n = namespace(x=9) %}" + "{% set n.x = n.x * n.x %}" * 99,
    "padding by %": "{{ '%1000000000d' % 3 }}",
    "padding by format": "{{ '%1000000000d' | format(3) }}",
    "padding by argument": "{{ '%*d' | format(1000000000, 3) }}",
    "str.format": "{{ '{:1000000000}'.format(3) }}",
    "padding by method": "{{ 'a'.ljust(1000000000) }}",
    "padding by JSON": "{{ [1] | tojson(indent=1000000000) }}",
    "long lists": "{{ (range(9999) | list + range(9999) | list) }}",
    "a giant range": "{{ range(1000000000) | list }}",
    "doubling by +": grown("{% set n.x = n.x + n.x %}"),
    "doubling by ~": grown("{% set n.x = n.x ~ n.x %}"),
    "doubling by join": grown("{% set n.x = [n.x, n.x] | join %}"),
    "doubling by replace": grown("{% set n.x = n.x | replace('a', n.x) %}"),
    "doubling by set block": grown("{% set t %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = t %}"),
    "lists of the same list": "{% set a = ['ab'] %}" + "{% set a = [a, a] %}" * 99 + "{{ a }}",
    "maps of the same map": "{% set a = {} %}" + "{% set a = {1: a, 2: a} %}" * 99 + "{{ a }}",
    "tuples of the same tuple": "{% set a = (1, 2) %}" + "{% set a = (a, a) %}" * 99 + "{{ a == a }}",
    "dict() of the same dict()": "{% set a = dict() %}" + "{% set a = dict(x=a, y=a) %}" * 99 + "{{ a }}",
    "much output": "{% for a in range(9999) %}" + "x" * 99 + "{% endfor %}",
    "much output in a macro": "{% macro m() %}{% for a in range(9999) %}"
    + "x" * 99
    + "{% endfor %}{% endmacro %}"
    "{{ m() | length }}",
    "Python's classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "Python's classes by item": "{{ ''['__class__'] }}",
    "Python's classes by map": "{{ [''] | map(attribute='__class__') | list }}",
    "a function's globals": "{{ range.__globals__ }}",
    "a macro's insides": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "an alert's insides": "{{ alerts[0]._message }}",
    "attr": "{{ title | attr('upper') }}",
    "include": "{% include 'mail.txt' %}",
    "import": "{% import 'x' as y %}",
    "no more escaping": "{% autoescape false %}{{ title }}{% endautoescape %}",
    "deep nesting": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a long source": "{{ title }}" * 9999,
    "division by zero": "{{ 1 / 0 }}",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_template_is_stopped_and_the_default_goes_out(
    make_message: MakeMessage, template: str
) -> None:
    begin = time.process_time()
    text, note = RENDERER.render_or(template, "{{ title }}", make_message())
    assert text == TITLE
    assert note.startswith("the default text was sent, because a template failed: ")
    assert time.process_time() - begin < 1.5


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ sumary }}", "there is no variable 'sumary'; did you mean 'summary'?"),
        ("a\n{{ title | shout }}", "line 2: No filter named 'shout'."),
        ("a\n{{ 1 +", "line 2: "),
        ("\n\n{{ alerts[0].lables }}", "line 3: there is no 'lables' here; there are annotations, "),
        ("\n{% for a in alerts %}\n{{ 1 / 0 }}{% endfor %}", "line 3: division by zero"),
        (
            "{{ .CommonLabels.team }}",
            "line 1: this looks like a Go template ({{ .CommonLabels.team }}); Jinja2 is",
        ),
        ("{{ $x }}", "looks like a Go template"),
        ("{{- range .Alerts }}{{ end }}", "looks like a Go template"),
        ('{{ template "slack.text" . }}', "looks like a Go template"),
    ],
)
def test_an_error_says_the_line_and_what_to_do(
    make_message: MakeMessage, template: str, expected: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        RENDERER.render(template, make_message())
    assert expected in str(caught.value)


def test_what_is_wrong_without_a_message_is_found_without_one() -> None:
    RENDERER.check("{{ title }}")
    with pytest.raises(TemplateError):
        RENDERER.check("{{ titel }}")


def test_labels_are_never_templates(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    label = "{{ 7 * 7 }}{% for x in y %}"
    message = make_message([make_alert(labels={"evil": label}, annotations={"summary": label})])
    assert RENDERER.render("{{ alerts[0].labels.evil }}|{{ summary }}", message) == f"{label}|{label}"


def test_a_label_called_like_a_method_is_no_trap(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    message = make_message([make_alert(labels={"items": "seven"})])
    looped = "{% for k, v in alerts[0].labels.items() if k == 'items' %}{{ v }}{% endfor %}"
    assert RENDERER.render(looped + "{{ alerts[0].labels['items'] }}", message) == "sevenseven"


@pytest.mark.parametrize("name", ["mail.subject", "mail.txt", "mail.html"])
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_default_texts_render_for_any_incident(
    make_message: MakeMessage, make_alert: MakeAlert, name: str, data: st.DataObject
) -> None:
    words = st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=4)
    kinds = st.sampled_from(["firing", "resolved"])
    alerts = data.draw(st.lists(st.builds(make_alert, st.integers(1, 5), kinds, words, words), max_size=3))
    message = make_message(alerts, test=data.draw(st.booleans()), incident=data.draw(st.integers(0, 3)))
    assert UNHURRIED.render(default_text(name), message, html=name.endswith("html"))


def test_fifty_alerts_with_long_texts_fit(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(n, annotations={"description": "<long> " * 300}) for n in range(50)]
    text = Renderer().render(default_text("mail.html"), make_message(alerts, firing=9000), html=True)
    assert "8950 more alerts are not shown here" in text


@pytest.mark.parametrize(
    ("html", "expected"),
    [(False, '["\\u003c"] & <b> <i>|<,>'), (True, '["\\u003c"] &amp; &lt;b&gt; <i>|&lt;,&gt;')],
)
def test_joined_texts_are_escaped_in_html_and_left_alone_in_text(
    make_message: MakeMessage, expected: str, *, html: bool
) -> None:
    template = "{{ (['<'] | tojson) ~ ' & ' ~ '<b>' }} <i>|{{ ['<', '>'] | join(',') }}"
    assert RENDERER.render(template, make_message(), html=html) == expected


def test_html_escapes_what_alerts_say(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    evil = '"><script>alert(1)</script>'
    alert = make_alert(
        labels={"alertname": evil, "x": evil},
        annotations={"summary": evil, "description": evil + "!", "runbook_url": "javascript:alert(1)"},
        generator_url=f"http://x/{evil}",
    )
    text = RENDERER.render(
        default_text("mail.html"), make_message([alert], group_labels={"x": evil}), html=True
    )
    assert "<script" not in text
    assert "javascript:" not in text


def test_the_plain_mail_reads_well(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(1), make_alert(2, "resolved", expired=True)]
    text = RENDERER.render(default_text("mail.txt"), make_message(alerts, reason="some alerts resolved"))
    assert text == PLAIN


PLAIN = """\
HighAPIResponseTime eu-west: 1 firing, 1 resolved, severity critical

High API response time detected

Incident   #1042, firing since 2026-11-18 14:05 UTC, for 13m
Open       https://tocsin.example.com/incidents/1042
Runbook    https://docs.example.com/latency
Source     http://prometheus.example.com/graph?g0.expr=up
Labels     cluster=eu-west, job=backend, severity=critical

FIRING (1)
  - instance=api-1:8000
    for 13m, since 2026-11-18 14:05 UTC

RESOLVED (1)
  - instance=api-2:8000
    fired 13m, ended 2026-11-18 14:18 UTC (no longer reported)

--\x20
Tocsin, some alerts resolved. Receiver backend, route {}/{team="backend"}"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, TITLE),
        ({"test": True}, TITLE.replace("[FIRING:2]", "[TEST]")),
        ({"status": "resolved"}, TITLE.replace("FIRING:2", "RESOLVED")),
        (
            {"common_annotations": {"summary": "HighAPIResponseTime"}},
            "[FIRING:2] HighAPIResponseTime eu-west",
        ),
        (
            {"common_annotations": {"summary": "a\r\nBcc: x"}},
            "[FIRING:2] HighAPIResponseTime eu-west — a Bcc: x",
        ),
        (
            {
                "group_labels": {
                    "a": "x",
                    "b": "x",
                    "severity": "high",
                    "c": "1",
                    "d": "2",
                    "e": "3",
                    "f": "4",
                }
            },
            TITLE.replace("eu-west", "x 1 2 3 …"),
        ),
        ({"group_labels": {}, "common_labels": {}}, TITLE.replace(" eu-west", "")),
        (
            {"common_annotations": {"summary": "x" * 300}},
            "[FIRING:2] HighAPIResponseTime eu-west — " + "x" * 158 + "…",
        ),
    ],
)
def test_the_title_says_it_all_in_one_line(
    make_message: MakeMessage, changes: dict[str, object], expected: str
) -> None:
    assert title(make_message(**changes)) == expected


def test_several_kinds_of_alerts_are_named(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(n, labels={"alertname": f"Alert{n}"}) for n in range(5)]
    few = make_message(alerts[:2], group_labels={"cluster": "x"})
    many = make_message(alerts, group_labels={"cluster": "x"})
    assert title(few).startswith("[FIRING:2] Alert0, Alert1 x")
    assert title(many).startswith("[FIRING:5] Alert0, Alert1 and 3 more x")


def databases(make_alert: MakeAlert, count: int, said: str = "{} is slow", **labels: str) -> list[ShownAlert]:
    """Alerts of db0, db1 and so on, each with its own summary; `labels` have the number put in."""
    return [
        make_alert(
            n,
            labels={"instance": f"db{n}"} | {key: value.format(n) for key, value in labels.items()},
            annotations={"summary": said.format(f"db{n}"), "description": f"about db{n}"},
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "labels", "expected"),
    [
        (6, {}, "6 alerts: db0, db1, db2 and 3 more"),
        (3, {}, "3 alerts: db0, db1, db2"),
        (1, {}, "db0 is slow"),
        (3, {"instance": "one", "disk": "sd{}", "severity": "s{}"}, "3 alerts: sd0, sd1, sd2"),
        (2, {"instance": "one", "alertname": "Kind{}"}, "2 alerts: Kind0, Kind1"),
        (2, {"instance": "one"}, "2 alerts"),
        (2, {"instance": "{}" + "x" * 300}, f"2 alerts: 0{'x' * 58}…, 1{'x' * 58}…"),
    ],
)
def test_one_alerts_text_does_not_stand_for_the_group(
    make_message: MakeMessage,
    make_alert: MakeAlert,
    count: int,
    labels: dict[str, str],
    expected: str,
) -> None:
    assert summary(make_message(databases(make_alert, count, **labels))) == expected


def test_alerts_that_are_not_shown_are_counted(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    message = make_message(databases(make_alert, 2), firing=900)
    assert summary(message) == "900 alerts: db0, db1 and 898 more"


def test_a_summary_that_all_share_is_the_groups(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    assert summary(make_message(databases(make_alert, 6, said="A database is slow"))) == "A database is slow"


def test_the_mail_says_of_every_alert_what_only_it_says(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    message = make_message(databases(make_alert, 6))
    assert title(message).endswith(" — 6 alerts: db0, db1, db2 and 3 more")
    for name in ("mail.txt", "mail.html"):
        text = RENDERER.render(default_text(name), message, html=name.endswith("html"))
        assert [text.count(f"db{n} is slow") for n in range(6)] == [1] * 6
        assert [text.count(f"about db{n}") for n in range(6)] == [1] * 6


@pytest.mark.parametrize("name", ["mail.subject", "mail.txt", "mail.html"])
@pytest.mark.parametrize("incident", [0, 1042])
def test_a_test_mail_says_so_and_looks_like_no_incident(
    make_message: MakeMessage, name: str, incident: int
) -> None:
    message = make_message(
        test=True, incident=incident, reason="test", route="test", url="https://root.example"
    )
    text = RENDERER.render(default_text(name), message, html=name.endswith("html"))
    assert "test" in text.lower()
    assert not [word for word in ("firing", "#0<", "#0)", "#1042", "root.example") if word in text.lower()]


OPENED = 1_795_010_700_000  # 2026-11-18 14:05 UTC
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("alerts", "began", "duration"),
    [
        ([("firing", -HOUR), ("firing", 0)], -HOUR, "1h 13m"),
        ([("firing", 60_000)], 60_000, "12m"),
        ([("resolved", -HOUR), ("firing", -60_000)], -60_000, "14m"),
        ([("resolved", -HOUR), ("resolved", 0)], -HOUR, "1h 13m"),
        ([("resolved", HOUR // 6)], 0, "13m"),
        ([("firing", HOUR), ("firing", -OPENED)], 0, "13m"),
        ([], 0, "13m"),
    ],
    ids=["late", "on time", "what ended does not burn", "the end", "the end of the last", "clocks", "none"],
)
def test_a_fire_began_when_its_alerts_say(
    make_message: MakeMessage,
    make_alert: MakeAlert,
    alerts: list[tuple[str, int]],
    began: int,
    duration: str,
) -> None:
    made = [make_alert(n, status, starts_at=OPENED + start) for n, (status, start) in enumerate(alerts)]
    message = make_message(made)
    assert since(message) == OPENED + began
    assert RENDERER.render("{{ duration | duration }}", message) == duration


def test_the_mail_says_since_when_it_burns_not_since_when_it_is_known(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    firing = make_message([make_alert(starts_at=OPENED - HOUR)])
    ended = make_message([make_alert(1, "resolved", starts_at=OPENED - HOUR)])
    for name in ("mail.txt", "mail.html"):
        text = RENDERER.render(default_text(name), firing, html=name.endswith("html"))
        assert "iring since 2026-11-18 13:05 UTC, for 1h 13m" in text
        over = RENDERER.render(default_text(name), ended, html=name.endswith("html"))
        assert "ired from 2026-11-18 13:05 UTC to 2026-11-18 14:18 UTC" in over
        assert "14:05" not in text + over


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (-5, "0s"), (0, "0s"), (999, "0s"), (45_000, "45s"), (300_000, "5m"), (301_000, "5m 1s"),
        (3_900_000, "1h 5m"), (3_601_000, "1h"), (90_000_000, "1d 1h"), (864_000_000, "10d"),
    ],
)  # fmt: skip
def test_durations_are_shown_by_their_largest_units(milliseconds: int, expected: str) -> None:
    assert duration(milliseconds) == expected


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://x.example/a?b=c#d", True), ("HTTP://x", True), ("javascript:alert(1)", False), ("", False),
        ("https://x/ y", False), ("https://x/\r\ny", False), ('https://x/"onload=', False), ("//x", False),
    ],
)  # fmt: skip
def test_only_web_addresses_are_linked(url: str, safe: bool) -> None:  # noqa: FBT001 - a table's column
    assert safe_url(url) == (url if safe else "")


def test_nothing_pings_in_slack() -> None:
    assert slack("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_even_the_default_text_may_fail(make_message: MakeMessage, make_alert: MakeAlert) -> None:
    alerts = [make_alert(n, labels={f"l{k}": f"{n} " + "<" * 200 for k in range(20)}) for n in range(50)]
    text, note = RENDERER.render_or("", default_text("mail.html"), make_message(alerts), html=True)
    assert text == "[FIRING:50] HighAPIResponseTime eu-west — High API response time detected\n" + URL
    assert note.startswith("a short text was sent, because the default text failed: line ")
    assert note.endswith("it prints more than 262,144 characters")
