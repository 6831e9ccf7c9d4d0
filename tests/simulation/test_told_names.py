"""How a test names whom it expects to be told."""

import pytest

from config.compile import compile_plan
from config.load import load_text
from gateway.simulation.test_file import Spot
from gateway.simulation.told_names import Known, called, is_told, read
from routing.story import Notification

SPOT = Spot(1, 1, ())
CONFIG = """
route: {receiver: ops}
global: {slack_app_token: t, smtp_smarthost: "h:25", smtp_from: a@example.com}
receivers:
  - name: ops
    slack_configs: [{channel: "#ops"}]
    email_configs: [{to: "Ops <ops@example.com>, x@example.com"}]
  - name: pager
users: [{name: dana, email: Dana@example.com, slack_id: U024BE7LH}]
teams: [{name: db, slack_channel: {default: "#db", critical: ["#db-critical"]}, email: db@example.com}]
"""


def told(target, target_kind="receiver", by="slack", where=""):
    return Notification(0, target, target_kind, by, where, "ring", 1, "{}", "", "critical", "", 0, "", 1, 0)


@pytest.mark.parametrize(
    ("name", "one", "expected"),
    [
        ("ops", told("ops"), True),
        ("ops", told("ops", by="email", where="ops@example.com"), True),
        ("ops", told("ops", "team"), False),
        ("ops", told("dev"), False),
        ("user:dana", told("dana", "user", "pagerduty"), True),
        ("user:dana", told("dana"), False),
        ("team:db", told("db", "team"), True),
        ("team:db", told("db", "user"), False),
        ("slack:#db", told("db", "team", "slack", "#db"), True),
        ("slack:#db", told("ops", "receiver", "slack", "#db"), True),
        ("slack:db", told("db", "team", "slack", "#db"), True),
        ("slack:U024BE7LH", told("dana", "user", "slack", "#U024BE7LH"), True),
        ("slack:#db", told("db", "team", "slack", "#db-critical"), False),
        ("slack:#db", told("db", "team", "email", "#db"), False),
        ("mail:ops@example.com", told("x", by="email", where="Ops <Ops@example.com>, x@example.com"), True),
        ("mail:x@example.com", told("x", by="email", where="Ops <ops@example.com>, x@example.com"), True),
        ("mail:s@example.com", told("x", by="email", where="ops@example.com"), False),
        ("webhook:bot", told("bot", by="webhook"), True),
        ("webhook:bot", told("bot", by="slack"), False),
        ("pagerduty:pager", told("pager", by="pagerduty"), True),
        ("pagerduty:dana", told("dana", "user", by="pagerduty"), True),
    ],
)
def test_a_name_means_those_whom_a_notification_tells(name, one, expected):
    assert is_told(read(name, SPOT), one) is expected


@pytest.mark.parametrize(
    "one",
    [
        told("ops"),
        told("dana", "user"),
        told("db", "team", "slack", "#db"),
        told("db", "team", "email", "db@example.com"),
        told("db", "team", "email", "db@example.com, x@example.com"),
        told("db", "team", "pagerduty", "pagerduty:123"),
    ],
)
def test_what_a_test_would_call_a_notification_names_it(one):
    assert is_told(read(called(one), SPOT), one)


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("ops", ""),
        ("slack:#ops", ""),
        ("slack:ops", ""),
        ("slack:#db-critical", ""),
        ("slack:U024BE7LH", ""),
        ("mail:OPS@example.com", ""),
        ("mail:dana@example.com", ""),
        ("user:dana", ""),
        ("team:db", ""),
        ("pagerduty:dana", ""),
        ("opps", "the configuration has no receiver 'opps'; did you mean 'ops'?"),
        ("dana", "the configuration has no receiver 'dana'; did you mean 'user:dana'?"),
        ("#db", "the configuration has no receiver '#db'; did you mean 'slack:#db'?"),
        ("db@example.com", "no receiver 'db@example.com'; did you mean 'mail:db@example.com'?"),
        ("user:dnaa", "no user 'dnaa'; did you mean 'dana'?"),
        ("team:dbs", "no team 'dbs'; did you mean 'db'?"),
        ("slack:#bd", "no channel '#bd'; did you mean '#db'?"),
        ("mail:dbx@example.com", "no address 'dbx@example.com'; did you mean 'db@example.com'?"),
        ("webhook:zzz", "no receiver, user or team 'zzz'; expected a receiver's name, or one such as user:"),
    ],
)
def test_a_name_that_nobody_can_have_is_found_with_what_was_meant(name, trouble):
    known = Known(compile_plan(load_text(CONFIG, "c.yaml", {})))
    found = known.trouble(read(name, SPOT))
    assert (trouble in found) if trouble else not found
