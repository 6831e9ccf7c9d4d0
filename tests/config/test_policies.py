"""Escalation policies as routing gets them: every key of the file, and its defaults."""

from importlib.resources import files

import pytest

from config.compile import compile_plan
from config.findings.check import run
from config.findings.subject import Subject
from config.load import examine, load_text
from gateway.cli.findings import CHECKS
from routing.calendar_syntax import parse_weekdays
from routing.matchers import Matcher
from routing.policies import Policy, Step, Target

MINUTE = 60_000
WHOLE = """
global: {slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: t@x}
route: {receiver: a}
receivers: [{name: a}]
users: [{name: dana, email: d@x}]
time_intervals: [{name: weekend, time_intervals: [{weekdays: [saturday, sunday]}]}]
escalation_policies:
  - name: page
    ack_timeout: 1h
    ack_reminder: 10m
    repeat: {times: 2, after: 20m}
    fallback: [{receiver: a}]
    on_new_alert: ring
    keep_ack: true
    keep_ack_on_reopen: true
    reopen_within: 1m
    steps:
      - notify: [{receiver: a}, {team: on_call}, {user: dana}]
        when: [b="2", a="1"]
        every: 3m
        uncovered: fallback
      - after: 5m
        notify: [{team: lead}]
        during: [weekend]
        outside: hold
      - {after: 15m, unless: resolved, policy: other, severity: High, notify: [{team: manager}]}
  - {name: other, steps: [{notify: [{receiver: a}]}]}
"""


def policies(text):
    return compile_plan(load_text(text, "f.yaml", {})).policies


def test_policies_are_carried_whole():
    found = policies(WHOLE)["page"]
    (interval,) = found.steps[1].during
    assert found == Policy(
        name="page",
        steps=(
            Step(
                notify=(Target("receiver", "a"), Target("team", "on_call"), Target("user", "dana")),
                when=(Matcher("a", "=", "1"), Matcher("b", "=", "2")),
                every=3 * MINUTE,
                uncovered="fallback",
            ),
            Step((Target("team", "lead"),), after=5 * MINUTE, during=(interval,), outside="hold"),
            Step((Target("team", "manager"),), 15 * MINUTE, "resolved", policy="other", severity="high"),
        ),
        ack_timeout=60 * MINUTE,
        ack_reminder=10 * MINUTE,
        repeat=2,
        repeat_after=20 * MINUTE,
        fallback=(Target("receiver", "a"),),
        ring_on_new_alert=True,
        keep_ack=True,
        keep_ack_on_reopen=True,
        reopen_within=MINUTE,
    )
    assert interval.name == "weekend"
    assert interval.periods[0].weekdays == (parse_weekdays("saturday"), parse_weekdays("sunday"))


def test_what_a_policy_does_not_say_is_off_but_for_reopening():
    assert policies(WHOLE)["other"] == Policy("other", (Step((Target("receiver", "a"),)),))


@pytest.mark.parametrize(
    ("keys", "reminder"),
    [
        ("", 0),
        ("ack_timeout: 1h", 5 * MINUTE),
        ("ack_timeout: 12m", 2 * MINUTE),
        ("ack_timeout: 1h, ack_reminder: 0s", 0),
        ("ack_timeout: 1h, ack_reminder: 20m", 20 * MINUTE),
    ],
)
def test_who_acknowledged_is_reminded_five_minutes_or_a_sixth_before_the_end(keys, reminder):
    text = WHOLE.replace("name: other, ", f"name: other, {keys + ', ' if keys else ''}")
    assert policies(text)["other"].ack_reminder == reminder


@pytest.mark.parametrize(
    ("written", "times", "after"),
    [("3", 3, 10 * MINUTE), ("{times: 3}", 3, 10 * MINUTE), ("{times: 1, after: 90s}", 1, 90_000)],
)
def test_a_repeat_is_a_number_or_a_section(written, times, after):
    found = policies(WHOLE.replace("name: other, ", f"name: other, repeat: {written}, "))["other"]
    assert (found.repeat, found.repeat_after) == (times, after)


def test_what_is_dismissed_stays_so_for_four_hours_unless_it_is_said():
    assert load_text(WHOLE, "f", {}).dedup.dismissed_for == 240 * MINUTE
    assert load_text(WHOLE + "dedup: {dismissed_for: 5m}", "f", {}).dedup.dismissed_for == 5 * MINUTE


def test_the_example_with_people_on_call_has_nothing_to_mend():
    names = ("SLACK_TOKEN", "SLACK_SIGNING_SECRET", "ADE_PAGERDUTY")
    document, config, problems = examine(
        str(files("config") / "examples" / "on-call.yaml"), dict.fromkeys(names, "x")
    )
    assert not problems
    found = run(CHECKS, Subject(document, config, now=1_795_500_000_000))
    assert [str(one) for one in found if one.fails] == []
