"""The structure of expressions: what decides about labels is read, and all else is read over."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.promql import PromQLError, parse
from config.promql_tree import Aggregation, Binary, Call, Number, Selector, Text, Wrapped
from routing.matchers import Matcher

UP = Selector(())
JOB = Selector((Matcher("job", "=", "x"),))


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("up", UP),
        ("job:up:sum # a comment", UP),
        ('up{job="x"}[5m] offset -1h', JOB),
        ("up{job='x',} @ 1.5e9", JOB),
        ("{__name__=~`a.*`, job=`x`}", JOB),
        ('{"up.utf8", "job"="x"} @ end()', JOB),
        ('up{job=~"a\\\\.b"}', Selector((Matcher("job", "=~", r"a\.b"),))),
        ("up[1h:5m]", Wrapped(UP)),
        ("-up ^ 2", Wrapped(Binary("^", UP, Number()))),
        ("(up)", Wrapped(UP)),
        ("rate(up[5m])", Call("rate", (UP,))),
        ("time()", Call("time", ())),
        ("Inf", Number()),
        ("1h30m", Number()),
        ("sum(up)", Aggregation("sum", (UP,), None, None)),
        ("SUM BY (a, b) (up)", Aggregation("sum", (UP,), ("a", "b"), None)),
        ("sum(up) without (a,)", Aggregation("sum", (UP,), None, ("a",))),
        ('count_values("v", up)', Aggregation("count_values", (Text("v"), UP), None, None)),
        ("sum", UP),
        ("up > bool 1", Binary(">", UP, Number())),
        ("up and on (a) up", Binary("and", UP, UP, on=("a",))),
        ("up * ignoring (a) group_left (b) up", Binary("*", UP, UP, None, ("a",), "left", ("b",))),
        ("up / on () group_right up", Binary("/", UP, UP, (), None, "right")),
        ("up or up and up", Binary("or", UP, Binary("and", UP, UP))),
        ("up - up - up", Binary("-", Binary("-", UP, UP), UP)),
        ("up ^ up ^ up", Binary("^", UP, Binary("^", UP, UP))),
        ("up or up * 2 > 3", Binary("or", UP, Binary(">", Binary("*", UP, Number()), Number()))),
    ],
)  # fmt: skip
def test_an_expression_is_read(text, expr):
    assert parse(text) == expr


@pytest.mark.parametrize(
    "text",
    ["", "sum(", "up up", "up{job}", "up{job=x}", 'up{job=~"("}', "up[5m", "up offset", "sum by a (up)",
     '"\\z"', "up)", "$x", "(" * 50 + "up" + ")" * 50, "up" + " + up" * 300, "up" * 40_000, "up smoothed"],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(text):
    with pytest.raises(PromQLError):
        parse(text)


pieces = st.sampled_from(
    ["up", "sum", "by", "(", ")", "{", "}", "[5m]", "a", '"x"', "=", "=~", ",", "or", "-", "1", "offset", "@"]
)


@given(st.lists(pieces | st.text(max_size=3), max_size=20).map(" ".join))
def test_any_text_is_read_or_an_error(text):
    with contextlib.suppress(PromQLError):
        parse(text)
