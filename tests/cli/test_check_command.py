"""`tocsin check FILE` and `tocsin check --schema`."""

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
route:
  receiver: hook
receivers:
  - name: hook
    webhook_configs: [{url: http://127.0.0.1:5001/}]
"""
BAD = """\
route:
  receiver: nobdy
  group_wait: soon
receivers:
  - name: nobody
    slak_configs: []
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tocsin.yaml"


def test_a_good_file_has_no_problems_and_nothing_on_stdout(here, file):
    file.write_text(GOOD)
    ended = here("check", "tocsin.yaml")
    assert (ended.code, ended.out, ended.err) == (0, "", "tocsin.yaml: no problems\n")


def test_all_problems_of_a_bad_file_are_printed_with_their_place(here, file):
    file.write_text(BAD)
    ended = here("check", "tocsin.yaml")
    problems = ended.out.splitlines()
    assert (ended.code, ended.err) == (1, f"tocsin.yaml: {len(problems)} problems\n")
    assert len(problems) >= 2
    assert all(problem.startswith("tocsin.yaml:") for problem in problems)
    assert any(
        problem.startswith("tocsin.yaml:3:") and "route.group_wait: " in problem for problem in problems
    )


def test_json_holds_the_same_problems_in_fields(here, file):
    file.write_text(BAD)
    text, ended = here("check", "tocsin.yaml"), here("check", "tocsin.yaml", "--output", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["files"], document["ok"]) == (1, ["tocsin.yaml"], False)
    shown = [
        ": ".join(
            part for part in (f"{p['file']}:{p['line']}:{p['column']}", p["path"], p["message"]) if part
        )
        for p in document["problems"]
    ]
    assert shown == text.out.splitlines()


def test_json_of_a_good_file_says_ok(here, file):
    file.write_text(GOOD)
    ended = here("check", "tocsin.yaml", "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "files": ["tocsin.yaml"],
        "ok": True,
        "problems": [],
        "findings": [],
    }


def test_without_env_unset_variables_are_no_problem_and_all_else_is(here, file):
    file.write_text(
        "route: {receiver: a, group_by: [job]}\n"
        "receivers: [{name: a, pagerduty_configs: [{routing_key: '${PD_KEY}'}]}]\n"
    )
    assert here("check", "tocsin.yaml").code == 1
    assert here("check", "--without-env", "tocsin.yaml").code == 0
    file.write_text(file.read_text() + "redis: {url: '${REDIS_URL}', shard: '${SHARDS}'}\n")
    ended = here("check", "--without-env", "tocsin.yaml")
    assert (ended.code, ended.out.count("\n")) == (1, 1)
    assert ended.out.startswith("tocsin.yaml:3:30: redis.shard: there is no key 'shard' here")


def test_several_files_are_all_checked_and_one_bad_one_makes_the_answer_no(here, file):
    file.write_text(BAD)
    (file.parent / "good.yaml").write_text(GOOD)
    (file.parent / "worse.yaml").write_text("[")
    ended = here("check", "tocsin.yaml", "good.yaml", "worse.yaml")
    assert (ended.code, {line.partition(":")[0] for line in ended.out.splitlines()}) == (
        1,
        {"tocsin.yaml", "worse.yaml"},
    )
    assert ended.err.splitlines()[1:] == ["good.yaml: no problems", "worse.yaml: 1 problem"]
    assert here("check", "good.yaml", "good.yaml").code == 0


def test_the_pre_commit_hook_checks_what_needs_secrets_that_are_not_at_hand(here, file):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    name, *arguments = hook["entry"].split()
    file.write_text(GOOD + "auth: {tokens: [{name: ci, token: '${UNSET}', scopes: [read]}]}\n")
    assert (name, here(*arguments, "tocsin.yaml", "tocsin.yaml").code) == ("tocsin", 0)
    file.write_text(BAD)
    assert here(*arguments, "tocsin.yaml").code == 1


@pytest.mark.parametrize("text", ["\x00\x01\x02", "a: [", "- just a list", "", "\x1b[2J: 1"])
def test_whatever_the_file_holds_the_answer_is_a_harmless_line(here, file, text):
    file.write_text(text)
    ended = here("check", "tocsin.yaml")
    assert ended.code == 1
    assert ended.out.startswith("tocsin.yaml:")
    assert "\x1b" not in ended.out


def test_the_schema_is_one_json_document_for_editors(here):
    ended = here("check", "--schema")
    assert (ended.code, ended.err) == (0, "")
    assert {"route", "receivers", "global"} <= set(json.loads(ended.out)["properties"])


def test_a_file_and_the_schema_at_once_is_misuse(here, file):
    file.write_text(GOOD)
    ended = here("check", "--schema", "tocsin.yaml")
    assert (ended.code, ended.out) == (2, "")


def test_a_folder_is_misuse(here, file):
    assert here("check", str(file.parent)).code == 2
