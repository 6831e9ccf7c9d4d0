"""What docs/time-intervals.md says is what happens."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.compile import compile_plan
from config.load import load_text
from routing.calendar import Period, TimeInterval, contains
from routing.calendar_syntax import parse_times

PAGE = (Path(__file__).parents[2] / "docs/time-intervals.md").read_text()
HOUR = 3_600_000


def test_its_configuration_is_valid_for_both(tmp_path, require_peer):
    import subprocess  # noqa: PLC0415 - only here

    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (route,) = compile_plan(load_text(text, "tocsin.yaml", {})).root.children
    assert [interval.name for interval in route.mute + route.active] == ["year's end", "office"]
    (tmp_path / "alertmanager.yml").write_text(text)
    check = [require_peer("amtool"), "check-config", str(tmp_path / "alertmanager.yml")]
    assert subprocess.run(check, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("times", "day", "hours"),
    [
        ("02:00 03:00", "2026-03-29", 0),
        ("00:00 02:30", "2026-03-29", 2),
        ("00:00 06:00", "2026-03-29", 5),
        ("02:00 03:00", "2026-10-25", 2),
        ("00:00 02:30", "2026-10-25", 3),
        ("00:00 24:00", "2026-03-29", 23),
        ("00:00 24:00", "2026-10-25", 25),
    ],
)
def test_its_table_of_clock_changes_is_right(times, day, hours):
    period = Period(
        times=(parse_times(*times.split()),),
        days_of_month=((int(day[-2:]),) * 2,),
        location="Europe/Berlin",
    )
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    start = int(midnight.timestamp() * 1000)
    minutes = sum(
        contains(TimeInterval("it", (period,)), at) for at in range(start, start + 26 * HOUR, 60_000)
    )
    assert minutes == hours * 60
