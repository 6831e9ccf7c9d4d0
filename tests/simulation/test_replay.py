"""Recorded alerts come back as they were, in bounded memory, and what is wrong is named with its line."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulation.recording import alert_line, moment, notice_line
from gateway.simulation.replay import MAX_LINE, MAX_TOGETHER, ReplayError, happenings
from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_795_424_000_000  # 2026-11-23T08:53:20Z
LINE = {"at": moment(AT), "status": "firing", "labels": {"alertname": "Down"}}


def arrival(labels: dict[str, str], status: str = "firing", **more) -> Arrival:
    ends_at = AT if status == "resolved" else None
    given = {"annotations": {}, "starts_at": AT - 60_000, "ends_at": ends_at, "until": None} | more
    return Arrival(alert_key(labels), labels, status=status, generator_url="", **given)


@pytest.fixture
def read(tmp_path: Path):
    """`read(line, ...)`: what happens by a file of these lines."""

    def read(*lines: object):
        path = tmp_path / "week.jsonl"
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
        path.write_bytes(b"".join(texts))
        return list(happenings(path))

    return read


def wrong(read, *lines: object) -> str:
    with pytest.raises(ReplayError) as caught:
        read(*lines)
    return str(caught.value).partition("week.jsonl")[2]


ARRIVALS = st.builds(
    arrival,
    st.dictionaries(st.text("abc_", min_size=1), st.text(min_size=1, max_size=5), min_size=1, max_size=3),
    st.sampled_from(["firing", "resolved"]),
    annotations=st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2),
    starts_at=st.integers(AT - 10**9, AT),
)


@given(bodies=st.lists(st.lists(ARRIVALS, min_size=1, max_size=3), min_size=1, max_size=5))
def test_what_was_written_is_read_body_by_body(bodies, tmp_path_factory):
    path = tmp_path_factory.mktemp("replay") / "week.jsonl"
    lines = [alert_line(one, AT + at // 2, at) for at, body in enumerate(bodies) for one in body]
    path.write_bytes(b"".join(lines))
    found = list(happenings(path))
    assert [one.at for one in found] == [AT + at // 2 for at in range(len(bodies))]
    assert [list(one.arrivals) for one in found] == bodies


def test_a_deadline_of_the_sender_comes_back(read):
    posted = arrival({"alertname": "Down"}, until=AT + 240_000)
    assert read(alert_line(posted, AT, 0))[0].arrivals == (posted,)


def test_a_line_of_the_bare_minimum_is_enough(read):
    (found,) = read(LINE)
    assert found.arrivals == (arrival({"alertname": "Down"}, starts_at=AT),)
    (found,) = read(LINE | {"at": AT, "status": "resolved"})
    assert found.arrivals == (arrival({"alertname": "Down"}, "resolved", starts_at=AT),)


def test_neighbours_without_a_body_arrived_together_if_at_once(read):
    found = read(LINE, LINE | {"labels": {"alertname": "Up"}}, LINE | {"at": AT + 1})
    assert [len(one.arrivals) for one in found] == [2, 1]


def test_notices_and_blank_lines_are_no_alerts(read):
    lines = notice_line("listening", AT, process="a", processes=1), LINE, b"\n", notice_line("alive", AT + 9)
    assert len(read(*lines)) == 1


def test_an_empty_value_of_a_label_is_none(read):
    (found,) = read(LINE | {"labels": {"alertname": "Down", "team": ""}})
    assert found.arrivals[0].labels == {"alertname": "Down"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], ": is empty; expected one alert as JSON on each line"),
        ([b"\n\n"], ": holds no alert; "),
        ([LINE, b'{"at": "2026-'], ":2: the file ends in the middle of this line: it was cut off"),
        ([LINE, b'{"at": \n', LINE], ":2: no JSON at column "),
        ([LINE, []], ":2: expected an alert, a JSON object"),
        ([LINE, LINE | {"at": AT - 1}], ":2: at: is earlier than the line before"),
        ([LINE | {"at": "yesterday"}], ":1: at: expected a time such as "),
        ([LINE | {"at": True}], ":1: at: expected a time such as "),
        ([LINE | {"at": None}], ":1: at: expected when the alert arrived"),
        ([LINE | {"status": "pending"}], ':1: status: expected "firing" or "resolved"; this is \'pending\''),
        ([LINE | {"labels": ["a"]}], ":1: labels: expected an object of labels"),
        ([LINE | {"labels": {}}], ":1: labels: an alert needs at least one label"),
        ([LINE | {"labels": {"a": 1}}], ":1: labels.a: a label's value is a string; this one is int"),
        ([LINE | {"annotations": {"a": 1}}], ":1: annotations: expected an object of texts"),
        (
            [LINE | {"startsAt": AT, "endsAt": AT - 1, "status": "resolved"}],
            ":1: endsAt: an alert cannot",
        ),
        ([b" " * (MAX_LINE + 1)], ":1: the line is longer than 4 MiB"),
        ([b"\xff\xfe\n"], ":1: this is not UTF-8, so it is no text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(read, lines, said):
    assert said in wrong(read, *lines)


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(ReplayError, match="cannot be read: "):
            list(happenings(path))


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        for at in range(60_000):
            one = arrival({"alertname": f"A{at % 50}"}, annotations={"summary": "x" * 100})
            file.write(alert_line(one, AT, 1))
    tracemalloc.start()
    sizes = [len(one.arrivals) for one in happenings(path)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sizes == [MAX_TOGETHER, 10_000]
    assert peak < 80_000_000  # one body of the largest size
