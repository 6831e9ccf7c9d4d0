"""What docs/recording.md shows is what the commands print, and its table names every field there is."""

import re
import sys
from pathlib import Path

import pytest

from gateway.api.arrivals import Notice, RecordedAlert
from gateway.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recording.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_comparison_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    shown = re.search(r"```console\n\$ tocsin (simulate .*?)\n(.*?)```", PAGE, re.DOTALL)
    old = block("yaml")
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(old)
    Path("new.yaml").write_text(old.replace('severity=~"critical|high"', 'severity="critical"'))
    Path("week.jsonl").write_text(block("json"))
    monkeypatch.setattr(sys, "argv", ["tocsin", *shown[1].split()])
    with pytest.raises(SystemExit) as ended:
        main()
    out, _ = capsys.readouterr()
    assert not ended.value.code
    assert out == shown[2]


def test_its_table_names_every_field():
    table = PAGE.partition("| field |")[2]
    fields = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"\w+", row)
    }
    assert fields == RecordedAlert.__annotations__.keys() | {"notice"}
    assert (
        {"missed"}
        <= set(re.findall(r'"notice": "(\w+)"', PAGE)) - {"gap"}
        <= set(re.findall(r"\w+", str(Notice.__annotations__["notice"])))
    )
