"""Which intervals a configuration makes: what a list or an entry without anything means."""

import pytest

from config.compile import compile_plan
from config.load import load_text
from routing.calendar import Period


def periods(entries):
    """The periods of an interval with these entries, in a route that is active in it."""
    text = f"""\
        route: {{receiver: a, routes: [{{active_time_intervals: [i]}}]}}
        receivers: [{{name: a}}]
        time_intervals: [{{name: i, time_intervals: {entries}}}]
        """
    (route,) = compile_plan(load_text(text, "f.yaml", {})).root.children
    (interval,) = route.active
    return interval.periods


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("[]", ()),
        ("[{}]", (Period(),)),
        ("[~]", (Period(),)),
        ("[{weekdays: }]", (Period(),)),
        ("[{weekdays: []}]", ()),
        ("[{weekdays: [], months: [may]}, {months: [may]}]", (Period(months=((5, 5),)),)),
        ("[{times: []}]", ()),
        ("[{location: ''}]", (Period(),)),
        ("[{location: Europe/Berlin}]", (Period(location="Europe/Berlin"),)),
        ("[{times: [{start_time: 09:00, end_time: 17:30}]}]", (Period(times=((540, 1050),)),)),
        ("[{days_of_month: ['-3:-1', 1], years: [2026]}]",
         (Period(days_of_month=((-3, -1), (1, 1)), years=((2026, 2026),)),)),
    ],
)  # fmt: skip
def test_what_is_left_out_holds_at_any_time_and_an_empty_list_never_does(entries, expected):
    assert periods(entries) == expected


def test_an_empty_receiver_is_the_parents():
    text = "route: {receiver: a, routes: [{receiver: '', matchers: [x=y]}]}\nreceivers: [{name: a}]"
    assert [route.receiver for route in compile_plan(load_text(text, "f.yaml", {})).root.children] == ["a"]
