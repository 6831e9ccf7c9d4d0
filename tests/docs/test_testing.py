"""What docs/testing.md shows can be run, prints what stands there, and names every key there is."""

import re
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.simulation.expected_reader import EXPECTED
from gateway.simulation.given_reader import GIVEN
from gateway.simulation.test_reader import _TEST, _TOP

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
TEXT = PAGE.read_text()
CONFIG, *FILES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SHOWN = dict(
    re.findall(
        r"```yaml\n(config:.*?)```\n\n```console\n\$ tocsin test tests.yaml\n(.*?)```", TEXT, re.DOTALL
    )
)


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    def run(file):
        (tmp_path / "tocsin.yaml").write_text(CONFIG)
        (tmp_path / "tests.yaml").write_text(file)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["tocsin", "test", "tests.yaml"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    return run


@pytest.mark.parametrize("file", FILES)
def test_each_file_of_tests_passes_unless_its_failure_is_shown(ran, file):
    code, out = ran(file)
    assert (code == 0) is ("FAIL" not in SHOWN.get(file, "")), out


@pytest.mark.parametrize("file", SHOWN)
def test_what_the_page_shows_is_what_is_printed(ran, file):
    _, out = ran(file)
    assert re.sub(r"in [0-9.]+ s", "in 0.01 s", out) == SHOWN[file]


def test_the_tables_have_every_key():
    chapter = TEXT.partition("\n## What a file contains\n")[2].partition("\nWho is told")[0]
    keys = re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)
    assert set(keys) == {*_TOP, *GIVEN, *EXPECTED, *_TEST}
