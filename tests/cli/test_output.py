"""Nothing from outside speaks to the terminal, and nothing that matters is cut."""

import json
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import output, times

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 11, 24, 8, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (7, "7"),
        ("plain", "plain"),
        ("Ünïcode → 日本", "Ünïcode → 日本"),
        ("\x1b[2J\x1b]0;pwned\x07", "\\x1b[2J\\x1b]0;pwned\\x07"),
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("[bold]markup[/bold] :boom:", "[bold]markup[/bold] :boom:"),
    ],
)
def test_a_value_is_shown_as_one_harmless_line(value, shown):
    assert output.plain(value) == shown


@given(st.text())
def test_no_text_whatever_keeps_a_control_character(text):
    assert not [character for character in output.plain(text) if unicodedata.category(character) == "Cc"]


def test_a_long_value_is_cut_with_an_ellipsis():
    assert output.plain("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (None, ""),
        ({}, ""),
        ({"b": "2", "alertname": "Down", "a": "1"}, "alertname=Down a=1 b=2"),
        ({"m": "/var/lib data"}, 'm="/var/lib data"'),
        ({"m": ""}, 'm=""'),
        ({"m": 'say "a=b"'}, 'm="say \\"a=b\\""'),
        ({"m": "\x1b[31mred"}, "m=\\x1b[31mred"),
    ],
)
def test_labels_read_as_name_equals_value(labels, shown):
    assert output.labels(labels) == shown


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_json_is_harmless_and_still_the_same_document(document):
    written = output.harmless_json(document, ascii_only=False)
    assert not output._DANGEROUS.search(written.replace("\n", ""))
    assert json.loads(written) == document


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (359, "5m"),
        (3_600, "1h"),
        (7_500, "2h 5m"),
        (86_400, "1d"),
        (277_200, "3d 5h"),
    ],
)
def test_a_span_is_told_in_at_most_two_units(seconds, shown):
    assert times.length(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("yesterday", "-"),
        (12, "-"),
        ("2025-11-24T08:15:00.000Z", "5m ago"),
        ("2025-11-24T09:15:00.000+01:00", "5m ago"),
        ("2025-11-24T08:20:30Z", "in 30s"),
        ("2025-11-24T08:20:00Z", "now"),
        ("2025-11-24T08:20:00.900Z", "now"),  # the server's Date has no milliseconds
    ],
)
def test_a_time_is_told_as_a_distance_from_the_servers_clock(value, shown):
    assert times.distance(value, NOW) == shown


def test_a_time_is_stamped_in_utc_whatever_zone_it_came_in():
    assert times.stamp("2025-11-24T09:15:00.123+01:00") == "2025-11-24 08:15:00 UTC"


HEAVY = ["aiohttp", "redis", "jinja2", "slack_sdk", "rich", "yaml", "urllib.request", "config.schema"]


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], [*HEAVY, "pydantic"]),
        ([], [*HEAVY, "pydantic"]),
        # typer itself takes pydantic to read arguments; nothing else of ours may come with it
        (["incidents", "list", "--help"], HEAVY),
        (["serve", "--help"], HEAVY),
    ],
)
def test_help_imports_nothing_that_it_does_not_need(arguments, unwanted):
    code = (
        "import atexit, sys; from gateway.cli import main;"
        f"atexit.register(lambda: print([m for m in {unwanted!r} if m in sys.modules]));"
        f"sys.argv[1:] = {arguments!r}; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ended.stdout.splitlines()[-1] == "[]"
    assert "Usage: tocsin" in ended.stdout + ended.stderr
