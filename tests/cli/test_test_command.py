"""`tocsin test` as people and pipelines use it."""

import json
from xml.etree import ElementTree as ET

import pytest

CONFIG = """
route: {receiver: ops, group_wait: 0s}
receivers: [{name: ops, webhook_configs: [{url: "${HOOK}"}]}, {name: boss}]
"""
TESTS = """
config: c.yaml
tests:
  - name: ops hear of <team>
    alerts: [{labels: {alertname: A, team: <team>}, fires: 5m}]
    expect: [{at: 0s, told: ops}]
    expect_not: [{told: boss}]
    examples: [{team: db}, {team: web}]
"""
FAILING = """
config: c.yaml
tests:
  - name: boss hears "&<it>"
    alerts: [{labels: {alertname: A}, fires: 5m}]
    expect: [{at: 5m, told: boss}]
    expect_not: [{told: ops, recorded: true}]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "good.yaml").write_text(TESTS)
    (tmp_path / "bad.yaml").write_text(FAILING)
    return tmp_path


def test_tests_that_pass_are_only_counted(here, files):
    ended = here("test", str(files / "good.yaml"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("2 passed, 0 failed in 0.")
    assert ended.out.endswith(" s\n")


def test_a_test_that_fails_is_shown_and_the_exit_code_is_1(here, files):
    ended = here("test", str(files / "good.yaml"), str(files / "bad.yaml"))
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[:2] == [
        f'FAIL {files}/bad.yaml:4:5: boss hears "&<it>"',
        f"  {files}/bad.yaml:6:14: boss was not told between 5m and 5m5s",
    ]
    assert "    + 0s  ops by a webhook" in lines
    assert "    - 5m  boss was expected" in lines
    assert lines[-1].startswith("2 passed, 1 failed in ")


def test_only_tests_with_this_in_their_name_are_run(here, files):
    ended = here("test", str(files / "good.yaml"), str(files / "bad.yaml"), "-k", "OF WEB")
    assert (ended.code, ended.out[:18]) == (0, "1 passed, 0 failed")


def test_where_no_test_has_it_in_its_name_nothing_is_tested(here, files):
    ended = here("test", str(files / "good.yaml"), "--name", "zzz")
    assert (ended.code, ended.out) == (2, "")
    assert "no test has 'zzz' in its name" in ended.err


def test_programs_read_json(here, files):
    ended = here("test", str(files / "good.yaml"), str(files / "bad.yaml"), "--output", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["ok"], document["passed"], document["failed"]) == (1, False, 2, 1)
    *good, bad = document["tests"]
    assert [(one["name"], one["ok"], one["line"]) for one in good] == [
        ("ops hear of db", True, 4),
        ("ops hear of web", True, 4),
    ]
    missing, unwanted = bad["failures"]
    assert missing["path"] == "tests[0].expect[0]"
    assert missing["missing"] == [{"after_s": 300.0, "told": "boss"}]
    assert unwanted["unwanted"] == [{"after_s": 0.0, "told": "ops"}]
    assert bad["notifications"][0]["target"] == "ops"


def test_junit_says_the_same_for_pipelines(here, files):
    report = files / "junit.xml"
    ended = here("test", str(files / "good.yaml"), str(files / "bad.yaml"), "--junit", str(report))
    root = ET.fromstring(report.read_text())
    assert ended.code == 1
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "3", "1")
    assert [suite.get("name") for suite in root] == [f"{files}/good.yaml", f"{files}/bad.yaml"]
    assert [case.get("name") for case in root.iter("testcase")][2] == 'boss hears "&<it>"'
    (failure,) = root.iter("failure")
    assert failure.get("message", "").startswith("boss was not told between 5m and 5m5s; ops was told at 0s")
    assert "    - 5m  boss was expected" in (failure.text or "")


def test_junit_is_written_where_all_pass_too(here, files):
    here("test", str(files / "good.yaml"), "--junit", str(files / "j.xml"))
    assert ET.fromstring((files / "j.xml").read_text()).get("failures") == "0"


def test_a_report_that_cannot_be_written_says_so(here, files):
    ended = here("test", str(files / "good.yaml"), "--junit", str(files / "no" / "j.xml"))
    assert ended.code == 2
    assert f"{files}/no/j.xml cannot be written: No such file or directory" in ended.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.yaml:1:1: the file is empty; expected config: and tests:"),
        ("{", "t.yaml:2:1: not YAML: expected a value"),
        ("config: c.yaml\ntests: []", "t.yaml:2:8: tests: no test at all"),
        ("config: d.yaml\ntests: [{name: n, alerts: [{labels: {a: b}}]}]", "config: there is no file"),
        ("config: bad.yaml\ntests: [{name: n, alerts: [{labels: {a: b}}]}]", "bad.yaml:4:3: route: "),
        (
            "config: c.yaml\ntests: [{name: n, alerts: [{labels: {a: b}}], expect: [{told: pos}]}]",
            "t.yaml:2:63: tests[0].expect[0].told: the configuration has no receiver 'pos'; did you mean",
        ),
    ],
)
def test_a_file_that_cannot_be_used_ends_it_with_2_and_clear_words(here, files, text, expected):
    (files / "t.yaml").write_text(text)
    (files / "bad.yaml").write_text("\n\n\n  route: {}\n  receivers: []\n")
    ended = here("test", str(files / "t.yaml"))
    assert (ended.code, ended.out) == (2, "")
    assert expected in ended.err
    assert "Traceback" not in ended.err


def test_nothing_is_run_where_one_of_the_files_cannot_be_used(here, files):
    (files / "t.yaml").write_text("tests: 1")
    ended = here("test", str(files / "good.yaml"), str(files / "t.yaml"))
    assert (ended.code, ended.out) == (2, "")
    assert "what was given has 2 problems" in ended.err


def test_a_file_that_is_not_there_is_wrong_use(here, files):
    assert here("test", str(files / "none.yaml")).code == 2


def test_a_file_that_cannot_be_read_is_named(here, files):
    file = files / "good.yaml"
    file.write_bytes(b"config: \xff")
    ended = here("test", str(file))
    assert (ended.code, f"{file}:1:9: the byte 0xff is not UTF-8" in ended.err) == (2, True)


def test_what_stands_in_files_cannot_speak_to_the_terminal(here, files):
    (files / "bad.yaml").write_text(FAILING.replace('boss hears "&<it>"', '"a\\e[31mb"'))
    ended = here("test", str(files / "bad.yaml"), "--junit", str(files / "j.xml"))
    assert "a\\x1b[31mb" in ended.out
    assert "\x1b" not in ended.out
    assert "a\ufffd[31mb" in (files / "j.xml").read_text()
