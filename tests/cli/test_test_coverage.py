"""`tocsin test --coverage`, `--init` and `--update` as people and pipelines use them."""

import json
import stat

import pytest

CONFIG = """\
route:
  receiver: ops
  group_wait: 0s
  routes:
    - {name: page, matchers: [severity="critical"], policy: page}
receivers:
  - {name: ops, webhook_configs: [{url: "${HOOK}"}]}
  - {name: boss, webhook_configs: [{url: "http://127.0.0.1/boss"}]}
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: ops}]
      - {after: 5m, notify: [{receiver: boss}]}
"""
TESTS = """\
config: tocsin.yaml
tests:
  # who is paged
  - name: ops are paged
    alerts: [{labels: {severity: critical}, fires: 4m}]
    expect: [{at: 0s, told: ops}]
  - name: boss is paged
    alerts: [{labels: {severity: critical}, fires: 6m}]
    expect: [{at: 5m, told: boss}]
    recorded: true
"""
FAILING = """\
  - name: too soon
    alerts: [{labels: {severity: critical}, fires: 6m}]
    expect:
      - {at: 3m, told: boss}  # for a reason
"""
RULES = """\
groups: [{name: g, rules: [{alert: Down, expr: up == 0, labels: {severity: critical}}]}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text(CONFIG)
    (tmp_path / "tests.yaml").write_text(TESTS)
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "empty.yml").write_text("groups: []")
    return tmp_path


# --- coverage --------------------------------------------------------------------------------------------


def test_coverage_says_what_is_asserted_and_the_place_of_all_else(here, folder):
    ended = here("test", "tests.yaml", "--coverage")
    assert ended.code == 0
    assert ended.out.splitlines()[1:] == [
        "",
        "Coverage of tocsin.yaml: 50.0 % asserted, 25.0 % besides only recorded",
        "                    ASSERTED  RECORDED    OF",
        "  routes                   1         0     2",
        "  steps                    1         1     2",
        "tocsin.yaml:2:3: route {}: no test reaches it",
        "tocsin.yaml:13:9: step page, step 2: only recorded tests reach it, and nobody says what should be",
    ]


def test_programs_read_coverage_as_json(here, folder):
    ended = here("test", "tests.yaml", "--coverage", "-o", "json")
    (coverage,) = json.loads(ended.out)["coverage"]
    assert (coverage["asserted_percent"], coverage["recorded_percent"]) == (50.0, 25.0)
    assert {(part["name"], part["state"]) for part in coverage["parts"]} == {
        ("{}", "never"),
        ("page", "asserted"),
        ("page, step 1", "asserted"),
        ("page, step 2", "recorded"),
    }


@pytest.mark.parametrize(("percent", "code"), [("50", 0), ("50.1", 1), ("100", 1)])
def test_too_little_that_is_asserted_fails(here, folder, percent, code):
    ended = here("test", "tests.yaml", "--fail-under", percent)
    assert ended.code == code
    assert ("fewer than" in ended.err) == bool(code)
    assert "50.0 % asserted" in ended.out


def test_coverage_is_of_the_tests_that_were_run(here, folder):
    ended = here("test", "tests.yaml", "--coverage", "-k", "boss")
    assert "0.0 % asserted, 75.0 % besides only recorded" in ended.out


# --- first tests -----------------------------------------------------------------------------------------


def test_first_tests_stand_beside_the_configuration_and_pass(here, folder):
    ended = here("test", "--init", "tocsin.yaml")
    assert (ended.code, ended.out) == (0, "")
    assert "tocsin.tests.yaml: 5 recorded tests." in ended.err
    ended = here("test", "tocsin.tests.yaml", "--coverage")
    assert ended.code == 0
    assert ended.out.splitlines()[2].endswith("0.0 % asserted, 100.0 % besides only recorded")


@pytest.mark.parametrize("rules", [("--rules", "*.yml"), ("--rules", "rules.yml", "rules.yml")])
def test_rules_have_their_tests(here, folder, rules):
    ended = here("test", "--init", "tocsin.yaml", *rules, "--to", "-")
    assert ended.code == 0
    assert "  - name: Down\n    recorded: true\n" in ended.out
    assert "config: tocsin.yaml\n" in ended.out


def test_a_file_elsewhere_finds_its_configuration(here, folder):
    (folder / "below").mkdir()
    assert here("test", "--init", "tocsin.yaml", "--to", "below/t.yaml").code == 0
    assert 'config: "../tocsin.yaml"' in (folder / "below" / "t.yaml").read_text()
    assert here("test", "below/t.yaml").code == 0


def test_a_file_that_is_there_stays_unless_it_is_forced(here, folder):
    ended = here("test", "--init", "tocsin.yaml", "--to", "tests.yaml")
    assert (ended.code, (folder / "tests.yaml").read_text()) == (2, TESTS)
    assert "tests.yaml exists; expected the name of a new file, or --force" in ended.err
    assert here("test", "--init", "tocsin.yaml", "--to", "tests.yaml", "--force").code == 0
    assert (folder / "tests.yaml").read_text() != TESTS
    assert {one.name for one in folder.iterdir()} == {"tocsin.yaml", "tests.yaml", "rules.yml", "empty.yml"}


def test_a_configuration_with_schedules_is_tested_from_next_monday_on(here, folder):
    schedule = 'schedules: [{name: rota, layers: [{people: [dana], start: "2000-01-03"}]}]\n'
    users = "users: [{name: dana, slack_id: U024BE7LH}]\n"
    (folder / "tocsin.yaml").write_text(CONFIG + schedule + users)
    ended = here("test", "--init", "tocsin.yaml", "--to", "-")
    assert ended.code == 0
    assert "\ndefaults:\n  at: 20" in ended.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "tocsin.yaml", "tests.yaml"], "tests.yaml stands beside --init"),
        (["--init", "tocsin.yaml", "--coverage"], "cannot stand beside --init"),
        (["--init", "tocsin.yaml", "--update"], "cannot stand beside --init"),
        (["--init", "tocsin.yaml", "--rules", "none.yml"], "there is no file 'none.yml'"),
        (["--init", "tocsin.yaml", "--rules", "empty.yml"], "no alerting rule stands in empty.yml"),
        (["--init", "tocsin.yaml", "--rules", "tests.yaml"], "what --rules names has"),
        (["--init", "rules.yml"], "rules.yml has"),
        (["--init", "tocsin.yaml", "--to", "none/t.yaml"], "cannot be written: No such file"),
        (["tests.yaml", "--rules", "rules.yml"], "says nothing without --init"),
        (["tests.yaml", "--force"], "says nothing without --init"),
        (["--coverage"], "expected a file of routing tests"),
        (["tests.yaml", "--fail-under", "101"], "--fail-under"),
    ],
)
def test_contradictory_options_end_it_with_2_and_clear_words(here, folder, arguments, message):
    ended = here("test", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


# --- what is accepted ------------------------------------------------------------------------------------


def test_an_update_changes_what_fails_and_nothing_else(here, folder):
    file = folder / "tests.yaml"
    file.write_text(TESTS + FAILING)
    file.chmod(0o640)
    ended = here("test", "tests.yaml", "--update")
    assert (ended.code, ended.out[:18]) == (0, "3 passed, 0 failed")
    assert "tests.yaml: 1 test changed to what is, marked recorded:\n  too soon\n" in ended.err
    new = FAILING.replace("{at: 3m, told: boss}", "{at: 5m, told: [boss], recorded: true}")
    assert file.read_text() == TESTS + new
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_an_update_where_all_pass_writes_nothing(here, folder):
    before = (folder / "tests.yaml").stat().st_ino
    ended = here("test", "tests.yaml", "--update")
    assert (ended.code, ended.err) == (0, "")
    assert (folder / "tests.yaml").stat().st_ino == before


def test_what_an_update_leaves_as_it_is_still_fails(here, folder):
    text = TESTS + FAILING.replace("too soon", "too <how>") + "    examples: [{how: soon}, {how: much}]\n"
    (folder / "tests.yaml").write_text(text)
    ended = here("test", "tests.yaml", "--update")
    assert (ended.code, (folder / "tests.yaml").read_text()) == (1, text)
    assert "too soon is left as it is: it is one of several examples" in ended.err
    assert "2 passed, 2 failed" in ended.out


def test_an_update_counts_in_coverage_as_recorded(here, folder):
    (folder / "tests.yaml").write_text(TESTS.partition("  - name: boss")[0] + FAILING)
    ended = here("test", "tests.yaml", "--update", "--coverage")
    assert "50.0 % asserted, 25.0 % besides only recorded" in ended.out
