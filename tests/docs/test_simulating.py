"""What docs/simulating.md shows is what is printed, and its tables have every key of the schema.

After a change of what is printed: `TOCSIN_WRITE_DOCS=1 python -m pytest tests/docs/test_simulating.py`.
"""

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from gateway.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "simulating.md"
TEXT = PAGE.read_text()
SCHEMA = json.loads((ROOT / "docs" / "simulation.schema.json").read_text())
BLOCKS = re.compile(r"```console\n\$ (.*)\n((?:(?!```).*\n)*)```")


@pytest.fixture
def printed(monkeypatch, capsys):
    def run(command):
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    return run


def test_what_the_page_shows_is_what_is_printed(printed):
    made = BLOCKS.sub(lambda block: f"```console\n$ {block[1]}\n{printed(block[1])}```", TEXT)
    if os.environ.get("TOCSIN_WRITE_DOCS") == "1":
        PAGE.write_text(made)
    assert len(BLOCKS.findall(TEXT)) == 4
    assert made == PAGE.read_text(), "write it anew: see the first lines of this test"


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("| key | what it is |", SCHEMA["properties"]),
        ("Each of the `notifications`:", SCHEMA["$defs"]["notification"]["properties"]),
    ],
)
def test_its_tables_have_every_key_of_the_schema(title, keys):
    rows = TEXT.partition(title)[2].lstrip("\n").split("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
    assert {key for cell in cells for key in re.findall(r"`(\w+)`", cell)} == set(keys)
