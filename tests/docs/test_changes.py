"""What docs/changes.md shows is what the command prints."""

import re
import sys
from pathlib import Path

import pytest

from gateway.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "changes.md").read_text()


def test_the_difference_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    (old,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    shown = re.search(r"```console\n\$ tocsin (diff .*?)\n(.*?)```", PAGE, re.DOTALL)
    new = old.replace("{receiver: pagerduty}, {team", "{team").replace("after: 5m", "after: 15m")
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(old)
    Path("new.yaml").write_text(new)
    monkeypatch.setattr(sys, "argv", ["tocsin", *shown[1].split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().out == shown[2]
