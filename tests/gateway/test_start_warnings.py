"""What the log says at a start about a configuration that is valid and perhaps not meant."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def warned(folder: Path, config: str, listen: str, *more: str) -> list[dict[str, Any]]:
    """The warnings of a start; it ends at once, since there is no store."""
    path = folder / "tocsin.yaml"
    path.write_text(config)
    command = [sys.executable, "-m", "gateway.cli", "serve", str(path), "--log-format", "json"]
    command += ["--listen", listen, "--redis", f"unix://{folder}/nobody", *more]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert run.returncode, run.stderr
    events = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "serve.no_external_url"]


@pytest.mark.parametrize(
    ("listen", "workers", "links"),
    [
        ("127.0.0.1:9199", "1", "http://127.0.0.1:9199"),
        ("127.0.0.1:9199", "3", "http://127.0.0.1:9199"),
        ("[::1]:9199", "1", "http://[::1]:9199"),
    ],
)
def test_without_an_external_url_it_says_once_where_links_lead(
    tmp_path: Path, listen: str, workers: str, links: str
):
    (event,) = warned(tmp_path, CONFIG, listen, "--workers", workers)
    assert (event["level"], event["links"]) == ("warning", links)
    assert "set external_url" in event["advice"]


def test_with_an_external_url_it_says_nothing_of_links(tmp_path: Path):
    config = CONFIG + "external_url: https://tocsin.example.com\n"
    assert warned(tmp_path, config, "127.0.0.1:9199") == []
