"""Who a target is: receivers, users, and teams by each of their ways."""

import re
from dataclasses import replace

import pytest

from config.compile import compile_plan, pin
from config.first_told import told_by
from config.load import load_text
from config.people import TeamConfig
from config.targets import lacking
from routing.policies import Target
from routing.severity import NAMES

TEXT = """\
global: {slack_app_token: xoxb-1, smtp_smarthost: 'mail:25', smtp_from: t@x, pagerduty_url: 'http://pd'}
severities: [critical, high, medium, low]
route: {receiver: last, routes: [{policy: page}]}
receivers:
  - {name: last, email_configs: [{to: last@x}]}
  - {name: phone, pagerduty_configs: [{routing_key: R}], slack_configs: [{channel: '#phone'}]}
users:
  - {name: dana, email: dana@x, slack_id: U024BE7LH, pagerduty: DANA}
  - {name: mia, email: mia@x}
teams:
  - name: backend
    slack_channel: {High: ['#backend-high', '#backend'], default: '#backend'}
    email: backend@x, more@x
    lead: dana
    manager: boss@x
    pagerduty: {critical: K1, default: K2}
  - {name: bare}
  - {name: half, pagerduty: {critical: H1}, lead: mia}
team_defaults: {slack_channel: '#alerts', pagerduty: DEFAULT}
escalation_policies:
  - {name: page, steps: [{notify: [TARGETS]}]}
"""


def first(plan, team="backend", rank=0, policy="page"):
    return told_by(policy, team, NAMES[rank], plan, lambda _: True).integrations


def told(targets, team="backend", rank=0, text=TEXT):
    """Who is told, as `receiver | kind | address`."""
    plan = compile_plan(load_text(text.replace("TARGETS", targets), "f.yaml", {}))
    return [f"{one.receiver} | {one.kind} | {address(pin(one.config))}" for one in first(plan, team, rank)]


def address(pinned):
    return pinned.get("channel") or pinned.get("to") or pinned.get("routing_key")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("{receiver: phone}", ["phone | pagerduty | R", "phone | slack | #phone"]),
        ("{team: slack}", ["team backend: slack | slack | #backend"]),
        ("{team: email}", ["team backend: email | email | backend@x, more@x"]),
        ("{team: manager}", ["team backend: manager | email | boss@x"]),
        ("{team: pagerduty}", ["team backend: pagerduty | pagerduty | K1"]),
        ("{user: mia}", ["user mia: email | email | mia@x"]),
        (
            "{team: lead}",
            [
                "team backend: lead | pagerduty | DANA",
                "team backend: lead | slack | U024BE7LH",
                "team backend: lead | email | dana@x",
            ],
        ),
        (
            "{user: dana}",
            [
                "user dana: pagerduty | pagerduty | DANA",
                "user dana: slack | slack | U024BE7LH",
                "user dana: email | email | dana@x",
            ],
        ),
    ],
)
def test_a_target_is_told_in_each_of_its_ways(target, expected):
    assert told(target) == expected


@pytest.mark.parametrize(
    ("target", "team", "rank", "expected"),
    [
        ("{team: slack}", "backend", 1, ["#backend-high", "#backend"]),
        ("{team: pagerduty}", "backend", 1, ["K2"]),
        ("{team: pagerduty}", "half", 0, ["H1"]),
        ("{team: pagerduty}", "half", 1, ["DEFAULT"]),
        ("{team: slack}", "bare", 0, ["#alerts"]),
        ("{team: slack}", "", 0, ["#alerts"]),
        ("{team: slack}", "gone", 0, ["#alerts"]),
    ],
)
def test_what_a_team_lacks_for_a_severity_comes_from_the_defaults(target, team, rank, expected):
    assert [line.split(" | ")[2] for line in told(target, team, rank)] == expected


def test_alerts_without_a_team_say_so_in_the_name_of_the_target():
    assert told("{team: slack}", "") == ["no team: slack | slack | #alerts"]


def test_a_policy_that_reaches_nobody_tells_the_receiver_of_the_root_and_says_for_whom():
    plan = compile_plan(load_text(TEXT.replace("TARGETS", "{team: lead}, {team: email}"), "f.yaml", {}))
    (one,) = first(plan, "bare")
    assert (one.receiver, one.kind, one.instead_of) == ("last", "email", "team: lead, team: email")
    assert one.config.send_resolved


def test_a_policy_that_is_gone_tells_the_receiver_of_the_root():
    plan = compile_plan(load_text(TEXT.replace("TARGETS", "{team: slack}"), "f.yaml", {}))
    (one,) = first(plan, policy="older")
    assert (one.receiver, one.instead_of) == ("last", "policy: older")


def test_a_step_that_reaches_somebody_does_not_tell_the_root():
    assert told("{team: email}, {team: slack}", "bare") == ["team bare: slack | slack | #alerts"]


def test_the_same_address_is_told_once():
    lines = told("{team: lead}, {user: mia}, {receiver: last}, {receiver: last}", "half")
    assert lines == ["team half: lead | email | mia@x", "last | email | last@x"]


def test_targets_have_what_global_says_and_always_show_the_end():
    plan = compile_plan(
        load_text(
            TEXT.replace("TARGETS", "{receiver: phone}, {team: pagerduty}, {team: slack}, {team: email}"),
            "f.yaml",
            {},
        )
    )
    found = first(plan)
    assert all(one.config.send_resolved for one in found)
    assert [one.config.url for one in found if one.kind == "pagerduty"] == ["http://pd", "http://pd"]
    assert [pin(one.config)["app_token"] for one in found if one.kind == "slack"] == ["xoxb-1", "xoxb-1"]
    assert [pin(one.config)["smarthost"] for one in found if one.kind == "email"] == ["mail:25"]
    assert not any(one.instead_of for one in found)


def test_keys_can_stand_in_files_of_their_own(tmp_path):
    (tmp_path / "key").write_text("from-file\n")
    text = TEXT.replace("pagerduty: {critical: K1, default: K2}", "pagerduty_file: {critical: key}")
    config = load_text(text.replace("TARGETS", "{team: pagerduty}"), "f.yaml", {}, base=tmp_path)
    (one,) = first(compile_plan(config))
    assert pin(one.config)["routing_key_file"] == str(tmp_path / "key")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("phone", ["R", "#phone"]),
        ("team backend: slack", ["#backend", "#backend-high"]),
        ("team backend: pagerduty", ["K1", "K2"]),
        ("team half: pagerduty", ["DEFAULT", "H1"]),
        ("no team: slack", ["#alerts"]),
        ("team backend: lead", ["DANA", "U024BE7LH", "dana@x"]),
        ("user dana: email", ["dana@x"]),
        *(
            (name, [])
            for name in ("team gone: slack", "user gone: email", "user mia: slack", "x", "x: slack")
        ),
        *((name, []) for name in ("team bare: email", "team backend: on_call")),
    ],
)
def test_the_name_of_a_target_leads_to_its_addresses_of_today(name, expected):
    plan = compile_plan(load_text(TEXT.replace("TARGETS", "{team: slack}"), "f.yaml", {}))
    assert sorted({address(pin(one.config)) for one in plan.called(name)}) == sorted(expected)


CONTACT = """
users:
  - {name: mia, email: mia@x}
  - name: dana
    email: dana@x
    slack_id: U024BE7LH
    webhook: http://dana.test/
    contact: {High: [slack, {email: 2m}, {webhook: 5m}], medium: [email], critical: [{email: 1s}, slack]}
"""
CONTACTS = re.sub(r"\nusers:.*?(?=teams:)", CONTACT, TEXT, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("target", "severity", "expected"),
    [
        ("user: dana", "critical", [("email", 1_000), ("slack", 0)]),
        ("user: dana", "high", [("slack", 0), ("email", 120_000), ("webhook", 300_000)]),
        ("team: lead", "high", [("slack", 0), ("email", 120_000), ("webhook", 300_000)]),
        ("user: dana", "medium", [("email", 0)]),
        ("user: dana", "low", [("slack", 0), ("email", 0), ("webhook", 0)]),
        ("user: mia", "high", [("email", 0)]),
        ("team: manager", "high", [("email", 0)]),
    ],
)
def test_a_person_is_told_as_their_contact_rules_say(target, severity, expected):
    directory = compile_plan(load_text(CONTACTS.replace("TARGETS", "{team: slack}"), "f", {})).directory
    found = directory.integrations([Target(*target.split(": "))], "backend", severity)
    assert [(one.kind, one.delay) for one in found] == expected


def test_who_is_told_as_a_person_is_known_by_name():
    directory = compile_plan(load_text(CONTACTS.replace("TARGETS", "{team: slack}"), "f", {})).directory
    targets = [Target("team", way) for way in ("lead", "manager", "slack")]
    found = directory.integrations(targets, "backend", "medium")
    assert [(one.receiver, one.person) for one in found] == [
        ("team backend: lead", "dana"),
        ("team backend: manager", ""),
        ("team backend: slack", ""),
    ]


def test_an_address_that_two_targets_share_is_told_as_soon_as_either():
    mail = "- {name: phone, email_configs: [{to: dana@x, send_resolved: true}]}"
    text = re.sub(r"- \{name: phone.*", mail, CONTACTS).replace("TARGETS", "{team: slack}")
    directory = compile_plan(load_text(text, "f", {})).directory
    found = directory.integrations([Target("user", "dana"), Target("receiver", "phone")], "backend", "high")
    assert [(one.receiver, one.delay) for one in found] == [
        ("user dana: slack", 0),
        ("user dana: email", 0),
        ("user dana: webhook", 300_000),
    ]


def test_the_name_of_a_persons_way_leads_to_it_whatever_the_contact_rules_say():
    plan = compile_plan(load_text(CONTACTS.replace("TARGETS", "{team: slack}"), "f", {}))
    (hook,) = plan.called("user dana: webhook")
    assert pin(hook.config)["url"] == "http://dana.test/"
    assert {one.kind for one in plan.called("team backend: lead")} == {"slack", "email", "webhook"}


def test_who_is_on_call_is_nobody_here_and_the_schedule_is_named():
    text = TEXT.replace("TARGETS", "{team: slack}")
    directory = compile_plan(load_text(text, "f", {})).directory
    assert (
        directory.integrations([Target("team", "on_call"), Target("schedule", "x")], "backend", "high") == ()
    )
    assert directory.on_call_of("backend") == ""
    backend = TeamConfig(name="backend", on_call="weekly")
    known = replace(directory, teams={"backend": backend, "bare": TeamConfig(name="bare")})
    assert [known.on_call_of(team) for team in ("backend", "bare", "")] == ["weekly", "", ""]
    rest = replace(known, defaults=TeamConfig(name="x", on_call="rest"))
    assert [rest.on_call_of(team) for team in ("backend", "bare", "", "gone")] == ["weekly", *["rest"] * 3]


def test_what_each_team_lacks_is_listed():
    config = load_text(TEXT.replace("TARGETS", "{team: slack}, {team: lead}"), "f.yaml", {})
    found = {(lack.team, lack.way): lack for lack in lacking(config, NAMES[:4])}
    assert (0, "slack") not in found
    assert found[1, "slack"].covered
    assert found[1, "lead"].asked
    assert not found[1, "lead"].covered
    assert not found[1, "email"].asked
    assert found[2, "pagerduty"].severities == ("high", "medium", "low")
    assert found[None, "lead"].severities == NAMES[:4]


def test_keys_never_show():
    config = load_text(TEXT.replace("TARGETS", "{team: pagerduty}"), "f.yaml", {})
    assert "K1" not in repr(config)
    assert "DANA" not in repr(compile_plan(config))
