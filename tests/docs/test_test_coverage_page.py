"""What docs/test-coverage.md shows is what the command does."""

import re
import sys
from pathlib import Path

import pytest

from gateway.cli import main

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "test-coverage.md").read_text()
CONFIG, TESTS, FIRST = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SHOWN, INIT, UPDATE = re.findall(r"```console\n\$ tocsin (.*?)```", TEXT, re.DOTALL)
RULES = """\
groups:
  - {name: api, rules: [{alert: ApiDown, expr: 'up{job="api"} == 0', labels: {severity: critical}}]}
"""


@pytest.fixture
def tocsin(tmp_path, monkeypatch, capsys):
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "api.yml").write_text(RULES)
    (tmp_path / "tocsin.yaml").write_text(CONFIG)
    (tmp_path / "tests.yaml").write_text(TESTS)
    monkeypatch.chdir(tmp_path)

    def run(line):
        monkeypatch.setattr(sys, "argv", ["tocsin", *line.replace("'", "").split()])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    return run


def test_coverage_is_printed_as_it_is_shown(tocsin):
    line, _, expected = SHOWN.partition("\n")
    code, out = tocsin(line)
    assert (code, re.sub(r"in [0-9.]+ s", "in 0.01 s", out)) == (0, expected)


def test_the_first_test_is_the_one_that_is_shown(tocsin, tmp_path):
    assert tocsin(INIT)[0] == 0
    assert FIRST in (tmp_path / "tocsin.tests.yaml").read_text()


def test_an_update_is_as_the_page_says(tocsin, tmp_path):
    written = TESTS.replace("{at: 5m", "{at: 4m").replace("[chat]", "[chat, pager]")
    (tmp_path / "tests.yaml").write_text(written)
    code, _ = tocsin(UPDATE)
    new = (tmp_path / "tests.yaml").read_text()
    assert code == 0
    assert "expect: [{at: 5m, told: [management], recorded: true}]" in new
    assert "expect_not:\n      - {told: [pager], recorded: true}" in new
