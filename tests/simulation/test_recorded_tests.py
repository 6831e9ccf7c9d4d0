"""What happened, written as a test file has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.source import read
from gateway.simulation.recorded_tests import Recorded, expected_lines, expected_values, flow, text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(TEXTS)
def test_every_text_is_read_back_as_it_was(value):
    root = read(f"a: {text(value)}", "x", None).root
    assert root.plain() == {"a": value}


@given(st.lists(TEXTS, max_size=40))
def test_every_list_is_read_back_however_long_its_lines_are(values):
    lines = list(expected_lines("expect", [f"{{at: 5m, told: {flow(values)}}}"], "    "))
    root = read("\n".join(lines), "x", None).root
    assert root.plain() == {"expect": [{"at": "5m", "told": values}]}


def test_long_lines_are_broken_where_that_changes_nothing():
    names = [f"slack:#channel-{number}" for number in range(12)]
    lines = list(expected_lines("expect", [f"{{at: 5m, told: {flow(names)}}}"], "    "))
    assert max(map(len, lines)) <= 108
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("found", "keys"),
    [
        (Recorded(((0, ("ops",)),), ("{}",), (), silent=False), ["expect_route", "expect"]),
        (
            Recorded((), ("{}",), ("a",), silent=True),
            ["expect_route", "expect_inhibited_by", "expect_silent"],
        ),
        (Recorded((), ("{}",), (), silent=False), ["expect_route"]),  # who was told has no name
    ],
)
def test_only_what_happened_is_expected(found, keys):
    assert list(expected_values(found)) == keys
