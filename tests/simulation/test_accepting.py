"""Failed expectations become what is, and all else of the file stays."""

import pytest

from gateway.simulation.accepting import accepted
from gateway.simulation.testing import load, run

CONFIG = """\
global: {smtp_smarthost: "127.0.0.1:25", smtp_from: tocsin@example.com}
users:
  - {name: dana, email: dana@example.com}
  - {name: lee, email: lee@example.com}
route:
  receiver: ops
  group_wait: 0s
  routes:
    - {name: page, matchers: [severity="critical"], policy: page}
    - {name: quiet, matchers: [severity="quiet"], receiver: nobody}
receivers:
  - {name: ops, webhook_configs: [{url: "http://127.0.0.1/"}]}
  - {name: boss, webhook_configs: [{url: "http://127.0.0.1/boss"}]}
  - {name: nobody}
inhibit_rules:
  - {name: down, source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}
inhibit_grace: 0s
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: ops}, {user: dana}]
      - {after: 5m, notify: [{user: lee}]}
      - {after: 15m, notify: [{receiver: boss}]}
"""
HEAD = """\
# about these tests
config: tocsin.yaml
tests:
  # the one before
  - name: before
    alerts: [{labels: {severity: low}, fires: 1m}]
    expect: [{at: 0s, told: [ops]}] # stays
"""
ALERT = "    alerts: [{labels: {alertname: A, severity: critical}, fires: 20m}]\n"
FOOT = """\

  - {name: after, alerts: [{labels: {severity: low}, fires: 1m}], expect_route: ["{}"]}
"""


def accept(folder, test, *, passes=True):
    """The new text of the one test in the middle, and why any are left as they are."""
    (folder / "tocsin.yaml").write_text(CONFIG)
    file = folder / "tests.yaml"
    file.write_text(HEAD + test + FOOT)
    loaded = load([file])
    failed = [
        one for one in run(loaded, [(loaded.suites[0], c) for c in loaded.suites[0].cases]) if one.failed
    ]
    assert failed
    new, left = accepted(HEAD + test + FOOT, failed, loaded.plan_of(loaded.suites[0]).plan)
    file.write_text(new)
    again = load([file])
    failed = [one for one in run(again, [(again.suites[0], c) for c in again.suites[0].cases]) if one.failed]
    assert bool(failed) != passes
    assert new.startswith(HEAD)
    assert new.endswith(FOOT)
    return new[len(HEAD) : -len(FOOT)], left


CHANGES = {
    "told at another time": (
        """\
    expect:
      - {at: 10m, told: [boss]} # soon
      - {at: 0s, told: [ops]}
""",
        """\
    expect:
      - {at: 15m, told: [boss], recorded: true} # soon
      - {at: 0s, told: [ops]}
""",
    ),
    "one of two told": (
        """\
    expect:
      - {told: ["user:dana", boss], at: 0s, within: 10s}
""",
        """\
    expect:
      - {told: ["user:dana"], at: 0s, within: 10s}
      - {at: 0s, told: [ops], recorded: true}
      - {at: 15m, told: [boss], recorded: true}
""",
    ),
    "somebody else told, and nobody ever of those expected": (
        """\
    expect:
      - {at: 5m, told: [nobody]}
      - at: 0s
        told: [ops]
""",
        """\
    expect:
      - {at: 5m, told: ["user:lee"], recorded: true}
      - at: 0s
        told: [ops]
    expect_not:
      - {told: [nobody], recorded: true}
""",
    ),
    "told against what is expected": (
        """\
    expect_not:
      - told: [boss, nobody]
""",
        """\
    expect:
      - {at: 15m, told: [boss], recorded: true}
    expect_not:
      - {told: [nobody]}
""",
    ),
    "the same, with others expected": (
        """\
    expect_not: [{told: [boss]}]
    expect: [{at: 5m, told: ['user:lee']}]
""",
        """\
    expect: [{at: 5m, told: ['user:lee']}, {at: 15m, told: [boss], recorded: true}]
""",
    ),
    "not silent": (
        "    expect_silent: {after: 10m}\n",
        "    expect:\n      - {at: 15m, told: [boss], recorded: true}\n",
    ),
    "another route": (
        "    expect_route: quiet # why\n",
        "    recorded: true\n    expect_route: [page] # why\n",
    ),
    "no rule": (
        "    recorded: false\n    expect_inhibited_by: [down]\n",
        "    recorded: true\n    expect_inhibited_by: []\n",
    ),
    "nobody ever told": (
        "    expect: [{told: [nobody, ops]}, {told: nobody}]\n",
        "    expect: [{told: [ops]}]\n    expect_not:\n      - {told: [nobody], recorded: true}\n",
    ),
    "nothing of that kind": (
        "    expect: [{told: [boss], kind: update, after: 1m}]\n",
        "    expect_not:\n      - {told: [boss], kind: update, recorded: true}\n",
    ),
}


@pytest.mark.parametrize(("written", "new"), CHANGES.values(), ids=CHANGES)
def test_a_failed_expectation_becomes_what_is_and_is_marked(tmp_path, written, new):
    found, left = accept(tmp_path, "  - name: it\n" + ALERT + written)
    assert not left
    lines = sorted(("  - name: it\n" + ALERT + new).splitlines())
    assert sorted(found.splitlines()) == lines


def test_of_a_test_on_one_line_that_nobody_is_told_is_what_is(tmp_path):
    test = "  - {name: it, alerts: [{labels: {severity: quiet}, fires: 1m}], expect: [{told: [boss]}]}\n"
    found, _ = accept(tmp_path, test)
    assert found == test.replace("expect: [{told: [boss]}]", "expect_not: [{told: [boss], recorded: true}]")


def test_the_words_that_were_expected_go_with_the_mark(tmp_path):
    written = '    expect: [{at: 0s, told: ["user:dana"], text: "no such words"}]\n'
    found, _ = accept(tmp_path, "  - name: it\n" + ALERT + written)
    assert '{at: 0s, told: [ops, "user:dana"], recorded: true}' in found
    assert "no such words" not in found


@pytest.mark.parametrize(
    ("test", "why"),
    [
        (
            "  - name: it <who>\n"
            + ALERT
            + "    examples: [{who: boss}]\n    expect: [{at: 0s, told: [<who>]}]\n",
            "one of several examples",
        ),
        (
            "  - name: x\n"
            + ALERT
            + "    expect: &e [{at: 0s, told: [ops]}]\n"
            + "  - name: it\n    alerts: [{labels: {severity: quiet}, fires: 1m}]\n    expect: *e\n",
            "stands elsewhere",
        ),
    ],
)
def test_what_stands_elsewhere_is_left_for_people(tmp_path, test, why):
    found, left = accept(tmp_path, test, passes=False)
    assert found == test
    assert [reason for reason in left.values() if why in reason]
