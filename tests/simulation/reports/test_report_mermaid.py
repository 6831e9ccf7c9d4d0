"""A story as a mermaid diagram: its lines are held to what mermaid reads."""

import re
from dataclasses import replace

import pytest

from gateway.simulation.report_mermaid import MOST, mermaid

SAFE = r"(?:[\w .,:/=+@&()'-]|#\d+;)*"
LINE = re.compile(
    rf"sequenceDiagram|  participant (?:t as Tocsin|p\d+ as {SAFE})"
    rf"|  Note over t: {SAFE}|  t--?>>p\d+: \S+ {SAFE}"
)


def test_arrows_lead_to_whom_it_tells_and_are_solid_where_they_are_heard(night):
    drawn = mermaid(night).splitlines()
    assert "  participant p2 as dana" in drawn
    assert "  t->>p2: +5:00 ring by Slack, step 2" in drawn
    assert "  t-->>p1: +8:00 update by Slack (#35;backend)" in drawn
    assert "  Note over t: +8:00 #35;1 dana has it (simulation)" in drawn
    assert drawn.index("  t->>p2: +5:00 ring by Slack, step 2") < drawn.index(
        "  Note over t: +8:00 #35;1 dana has it (simulation)"
    )


def test_repeats_are_one_arrow(repeats):
    drawn = mermaid(repeats)
    assert drawn.count("->>") == 1
    assert "and every 4h5m, 41 times more" in drawn
    assert "the simulation ends, more would follow" in drawn


def test_where_nobody_is_told_it_says_so(silent):
    assert "Note over t: Nobody is told." in mermaid(silent)


@pytest.mark.parametrize("name", ["night", "repeats", "silent", "hostile"])
def test_nothing_in_it_means_anything_to_mermaid_that_is_meant_for_people(name, request):
    for line in mermaid(request.getfixturevalue(name)).splitlines():
        assert LINE.fullmatch(line), line
        assert not re.search(r"\bend\b", line)


def test_what_is_too_much_to_draw_is_counted(night):
    one = night.notifications[2]
    night.notifications = [replace(one, at=one.at + n * n * 1000, target=f"u{n}") for n in range(500)]
    drawn = mermaid(night)
    assert drawn.count("->>") <= MOST
    assert drawn.count("participant") <= MOST + 1
    assert "and 303 more, not drawn" in drawn
