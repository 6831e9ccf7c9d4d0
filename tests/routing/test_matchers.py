"""What matchers mean, how the classic syntax is read, and what errors say. UTF-8: `test_utf8_matchers.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.matchers import (
    MAX_LENGTH,
    Matcher,
    MatcherError,
    from_json,
    in_order,
    matches_all,
    parse_matchers,
    show,
    to_json,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        ("{", []),
        (" ", []),
        ("a=b, ", [("a", "=", "b")]),
        ("\xa0a=b\xa0", [("a", "=", "b")]),
        ("a=b\xa0,c=d", [("a", "=", "b\xa0"), ("c", "=", "d")]),
        ("}", []),
        ('foo="bar"', [("foo", "=", "bar")]),
        ("foo=bar", [("foo", "=", "bar")]),
        ("foo!=bar", [("foo", "!=", "bar")]),
        ("foo=~bar.*", [("foo", "=~", "bar.*")]),
        ("foo!~bar", [("foo", "!~", "bar")]),
        ("foo=", [("foo", "=", "")]),
        ('foo=""', [("foo", "=", "")]),
        ("{foo=bar", [("foo", "=", "bar")]),
        ("foo=bar}", [("foo", "=", "bar")]),
        ("{foo=bar}}", [("foo", "=", "bar}")]),
        ("a=b,c=d", [("a", "=", "b"), ("c", "=", "d")]),
        ("a=b, c=d,", [("a", "=", "b"), ("c", "=", "d")]),
        (' a \t= "b" , c != d ', [("a", "=", "b"), ("c", "!=", "d")]),
        ('a="b,c=d"', [("a", "=", "b,c=d")]),
        (r'a="b\"c"', [("a", "=", 'b"c')]),
        (r"a=b\"c", [("a", "=", 'b"c')]),
        (r'a="b\nc"', [("a", "=", "b\nc")]),
        (r'a="b\\c"', [("a", "=", r"b\c")]),
        (r'a=~"b\d+"', [("a", "=~", r"b\d+")]),
        (r"a=b\\", [("a", "=", "b\\")]),
        ("a=b\\", [("a", "=", "b\\")]),
        (r'a="b\,c"', [("a", "=", r"b\,c")]),
        ("a==b", [("a", "=", "=b")]),
        ("a=!b", [("a", "=", "!b")]),
        ("a=b c", [("a", "=", "b c")]),
        ("a=b\nc", [("a", "=", "b\nc")]),
        ("job:rate:5m=x", [("job:rate:5m", "=", "x")]),
        ("a={}", [("a", "=", "{")]),
        ('a="ü→"', [("a", "=", "ü→")]),
    ],
)
def test_classic_syntax_is_read_as_alertmanager_reads_it(text, expected):
    assert [(m.name, m.op, m.value) for m in parse_matchers(text)] == expected


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        (" ,", 1, "empty matcher"),
        (",", 1, "empty matcher"),
        ("a=b,,c=d", 5, "empty matcher"),
        ("a", 2, "no operator after 'a'"),
        ("{severity}", 10, "no operator after 'severity'"),
        ("=b", 1, "a label name is missing"),
        ("a~b", 2, "'~' is no operator"),
        ("a b=c", 3, "expected one of the operators"),
        ("1a b=c", 4, "'b' cannot stand here; expected one of the operators"),
        ("a=b, é", 7, "it ends here; expected one of the operators"),
        ('"a.b="c"', 7, "'c' cannot stand here"),
        ('"a.b', 1, "not closed"),
        ('{"a.b"="c"', 11, "it ends here; expected } for the {"),
        ('"a.b"="c"}', 10, "a } without its {"),
        ('{"a.b"="c"} d', 13, "expected nothing after the }"),
        ('"a.b"="c",,', 11, "expected a label name"),
        ('"a.b"="c" d=e', 11, "expected a comma"),
        ('"a.b"=,', 7, "expected a value"),
        ('é="b', 3, "not closed"),
        (r'é="\d+"', 4, r"\d is no escape here"),
        (r'é="b\ud800"', 5, r"\ud800 is no character"),
        (r'é="b\xff"', 4, "are not UTF-8"),
        ('é="a\nb"', 5, "a line break inside the quotes"),
        ("é!b", 2, "'!' is no operator"),
        ("é~b", 2, "'~' is no operator"),
        ("é='b'", 3, "expected it inside of double quotes"),
        ('é=~"("', 4, "not a regular expression"),
        ('a="b', 3, "not closed"),
        ('a="', 3, "not closed"),
        (r'a="b\"', 3, "not closed"),
        ('a="b"c"', 5, "a double quote inside"),
        ('x="y", a=b"', 11, "a double quote inside"),
        ('a=~"("', 4, "not a regular expression"),
        ('x=y,a!~"[z-a]"', 8, "not a regular expression"),
        ('a=~"(?=b)"', 4, "look-around"),
        ('a=~"a)|(b"', 4, "not a regular expression"),
        ("a=" + "b" * MAX_LENGTH, 1, "at most"),
    ],
)
def test_an_error_points_at_the_column_and_says_what_was_expected(text, column, says):
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert caught.value.column == column
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("matcher", "labels", "expected"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {}, False),
        ('a=""', {}, True),
        ('a!="b"', {}, True),
        ('a!=""', {}, False),
        ('a=~".*"', {}, True),
        ('a=~".+"', {}, False),
        ('a!~".+"', {}, True),
        ('a=~"b"', {"a": "bb"}, False),
        ('a=~"b|c"', {"a": "c"}, True),
        ('a=~"b|c"', {"a": "bc"}, False),
        ('a=~"b"', {"a": "b\n"}, False),
        ('a=~"b."', {"a": "b\n"}, False),
        ('a=~"(?s)b."', {"a": "b\n"}, True),
        ('a=~"(?i)ÄB"', {"a": "äb"}, True),
        (r'a=~"\pL+"', {"a": "été"}, True),
        (r'a=~"[[:alpha:]]+"', {"a": "abc"}, True),
        (r'a=~"\Qa.b\E"', {"a": "axb"}, False),
        ('a=~"^b$"', {"a": "b"}, True),
        ('a=~"."', {"a": "é"}, True),
    ],
)
def test_matching_follows_re2_on_the_whole_value_and_takes_a_missing_label_as_empty(
    matcher, labels, expected
):
    (parsed,) = parse_matchers(matcher)
    assert parsed.matches(labels) is expected


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"name": "a", "value": "b", "isRegex": False, "isEqual": True}, 'a="b"'),
        ({"name": "a", "value": "b", "isRegex": False, "isEqual": False}, 'a!="b"'),
        ({"name": "a", "value": "b", "isRegex": True, "isEqual": True}, 'a=~"b"'),
        ({"name": "a", "value": "", "isRegex": True, "isEqual": False}, 'a!~""'),
        ({"name": "é.x y", "value": "b", "isRegex": False, "isEqual": True}, '"é.x y"="b"'),
    ],
)
def test_a_matcher_has_the_json_form_of_alertmanagers_api(data, shown):
    assert str(from_json(data)) == shown
    assert to_json(from_json(data)) == data


def test_a_json_matcher_is_plain_and_equal_unless_it_says_otherwise():
    assert from_json({"name": "a", "value": "b"}) == Matcher("a", "=", "b")
    assert from_json({"name": "a", "value": "b", "isRegex": True, "note": 1}) == Matcher("a", "=~", "b")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "no object; expected name, value"),
        ({"value": "b"}, "without name"),
        ({"name": "", "value": "b"}, "without name"),
        ({"name": 1, "value": "b"}, "without name"),
        ({"name": "a"}, "'a' has no value"),
        ({"name": "a", "value": None}, "'a' has no value"),
        ({"name": "a", "value": "b", "isRegex": "no"}, "expected true or false"),
        ({"name": "a", "value": "b", "isEqual": 1}, "expected true or false"),
        ({"name": "a", "value": "(", "isRegex": True}, "not a regular expression"),
        ({"name": "a", "value": "b" * MAX_LENGTH}, "at most"),
    ],
)
def test_a_wrong_json_matcher_is_refused_with_what_was_expected(data, says):
    with pytest.raises(MatcherError, match=says):
        from_json(data)


def test_a_matcher_with_a_bad_expression_cannot_be_made():
    with pytest.raises(MatcherError, match="missing \\)"):
        Matcher("a", "=~", "(")


def test_a_pattern_that_makes_other_engines_backtrack_is_answered_at_once():
    (matcher,) = parse_matchers('a=~"(a+)+b"')
    assert not matcher.matches({"a": "a" * 10_000})


def test_all_conditions_must_hold_and_none_is_met_by_everything():
    both = parse_matchers("a=1,b!=2")
    assert matches_all(both, {"a": "1"})
    assert not matches_all(both, {"a": "1", "b": "2"})
    assert matches_all((), {})


def test_matchers_are_sorted_and_printed_as_alertmanager_does():
    matchers = parse_matchers(r'c=~d, b="x\ny\"\\", a!="2", a="2", a="1"')
    assert show(in_order(matchers)) == r'{a="1",a="2",a!="2",b="x\ny\"\\",c=~"d"}'


@given(
    st.from_regex(r"\A[a-zA-Z_:][a-zA-Z0-9_:]{0,8}\Z") | st.text("a.é \\\"\n'", min_size=1, max_size=5),
    st.sampled_from(["=", "!="]),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_what_is_printed_parses_to_the_same_matcher(name, op, value):
    matcher = Matcher(name, op, value)
    assert parse_matchers(str(matcher)) == (matcher,)


@given(st.text(st.sampled_from('abé=!~"\\,{} \n('), max_size=15))
def test_any_text_gives_matchers_or_an_error_with_a_column_inside_it(text):
    column = 1
    try:
        parse_matchers(text)
    except MatcherError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1
