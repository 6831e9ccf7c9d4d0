"""What `tocsin check` does with findings: choose, print, fail; as text, JSON and SARIF."""

import json

import pytest

HIDDEN = """\
route:
  receiver: hook
  routes:
    - matchers: [severity="critical"]
    - matchers: [severity="critical", team="db"]
      continue: true
receivers:
  - name: hook
    webhook_configs: [{url: http://127.0.0.1:5001/}]
"""
REASON = (
    'no alert ever comes here: the route in line 4, {severity="critical"}, takes all that could come here'
)
ADVICE = "Move it above that route, or write continue: true there if both should be told."


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tocsin.yaml"
    path.write_text(HIDDEN)
    return path


def test_findings_are_lines_with_place_code_and_severity_and_their_advice_below(here, file):
    ended = here("check", "tocsin.yaml")
    assert ended.code == 1
    assert ended.out.splitlines()[:2] == [
        f"tocsin.yaml:5:17: TOC102 error: route.routes[1].matchers: {REASON}",
        f"    {ADVICE}",
    ]
    assert ended.out.splitlines()[2].startswith("tocsin.yaml:6:7: TOC104 info: ")
    assert ended.err == "tocsin.yaml: 1 error, 1 for information\n"


@pytest.mark.parametrize(
    ("options", "code", "found"),
    [
        (["--ignore", "TOC102"], 0, ["TOC104"]),
        (["--ignore", "TOC1"], 0, []),
        (["--ignore", "toc102,TOC104"], 0, []),
        (["--ignore", "TOC102", "--ignore", "TOC104"], 0, []),
        (["--select", "TOC104"], 0, ["TOC104"]),
        (["--select", "TOC2"], 0, []),
        (["--select", "TOC1", "--ignore", "TOC104"], 1, ["TOC102"]),
        (["--select", "TOC102", "--ignore", "TOC1"], 1, ["TOC102"]),
        (["--select", "TOC1", "--ignore", "TOC1"], 0, []),
    ],
)
def test_findings_are_chosen_by_their_codes_and_the_longer_choice_counts(here, file, options, code, found):
    ended = here("check", "tocsin.yaml", *options)
    lines = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert (ended.code, [line.split()[1] for line in lines]) == (code, found)


def test_a_choice_that_fits_no_code_is_misuse(here, file):
    for option in ("--select", "--ignore"):
        ended = here("check", "tocsin.yaml", option, "TOC198")
        assert (ended.code, ended.out) == (2, "")
        assert "no finding has the code 'TOC198'" in ended.err


def test_problems_cannot_be_ignored_and_leave_findings_for_later(here, file):
    file.write_text(HIDDEN.replace("receiver: hook", "receiver: hok"))
    ended = here("check", "tocsin.yaml", "--ignore", "TOC")
    assert ended.code == 1
    assert "there is no receiver 'hok'" in ended.out
    assert "TOC102" not in here("check", "tocsin.yaml").out


def test_json_has_findings_with_all_their_parts(here, file):
    ended = here("check", "tocsin.yaml", "--output", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["ok"], document["problems"]) == (1, False, [])
    assert document["findings"][0] == {
        "code": "TOC102",
        "name": "route-hidden",
        "severity": "error",
        "file": "tocsin.yaml",
        "line": 5,
        "column": 17,
        "path": "route.routes[1].matchers",
        "reason": REASON,
        "advice": ADVICE,
    }


def test_information_alone_is_ok(here, file):
    ended = here("check", "tocsin.yaml", "--ignore", "TOC102", "--output", "json")
    assert (ended.code, json.loads(ended.out)["ok"]) == (0, True)


def sarif(here, *arguments):
    document = json.loads(here("check", *arguments, "--output", "sarif").out)
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    return run


def test_sarif_has_each_finding_at_its_place_and_each_rule_with_its_page(here, file):
    run = sarif(here, "tocsin.yaml")
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == ["error", "note"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert "## Use instead" in rules[result["ruleIndex"]]["help"]["markdown"]
    assert run["results"][0]["message"]["text"] == f"{REASON}. {ADVICE}"
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "tocsin.yaml"},
        "region": {"startLine": 5, "startColumn": 17},
    }
    assert place["logicalLocations"] == [{"fullyQualifiedName": "route.routes[1].matchers"}]


def test_sarif_has_problems_too_and_paths_as_addresses(here, file):
    odd = file.with_name("my tocsin.yaml")
    odd.write_text("route: {}\n")
    run = sarif(here, "my tocsin.yaml", str(file))
    assert {result["ruleId"] for result in run["results"]} == {"TOC001", "TOC102", "TOC104"}
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    assert uris == {"my%20tocsin.yaml", file.as_uri()}


def test_a_page_is_printed_for_a_code_in_any_case(here):
    ended = here("check", "--explain", "toc102")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("# TOC102: A route that earlier ones hide\n")
    unknown = here("check", "--explain", "TOC199")
    assert (unknown.code, unknown.out) == (2, "")
    assert "no finding has the code 'TOC199'" in unknown.err


def test_without_values_for_variables_what_does_not_depend_on_them_is_found(here, file):
    text = HIDDEN.replace("http://127.0.0.1:5001/", "'${HOOK}'")
    text = text.replace("  routes:", "  group_wait: ${WAIT}\n  routes:")
    file.write_text(text)
    ended = here("check", "--without-env", "tocsin.yaml")
    assert (ended.code, "TOC102" in ended.out) == (1, True)
    file.write_text(text.replace('team="db"', "'${TEAM}'"))
    assert "TOC102" not in here("check", "--without-env", "tocsin.yaml").out
