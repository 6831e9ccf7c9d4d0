"""The UTF-8 syntax of matchers, and which reading counts where the two syntaxes differ.

The tables are made after Alertmanager's documentation (UTF-8 matchers, its fallback and disagreement).
"""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.go_strings import quote, unquote
from routing.matcher_syntax import utf8
from routing.matchers import Matcher, MatcherError, parse_doubting, parse_matcher


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("{}", []),
        ("{ }", []),
        ("foo=bar", [("foo", "=", "bar")]),
        ("{foo=bar}", [("foo", "=", "bar")]),
        ("{foo=bar,}", [("foo", "=", "bar")]),
        ("foo=bar,", [("foo", "=", "bar")]),
        ('foo="bar", "baz"!=qux', [("foo", "=", "bar"), ("baz", "!=", "qux")]),
        (' { foo =~ "b.*" , bar !~ c } ', [("foo", "=~", "b.*"), ("bar", "!~", "c")]),
        ("\u2003é\u2003=\u2003ü\u2003", [("é", "=", "ü")]),
        ("service.name=api", [("service.name", "=", "api")]),
        ('"service name"="two words"', [("service name", "=", "two words")]),
        ("🙂=→", [("🙂", "=", "→")]),
        ("1a=b", [("1a", "=", "b")]),
        ("a-b=c:d/e", [("a-b", "=", "c:d/e")]),
        ('a="{b},c=d"', [("a", "=", "{b},c=d")]),
        ('"a=b"="c"', [("a=b", "=", "c")]),
        ('a=""', [("a", "=", "")]),
        ('""=a', [("", "=", "a")]),
        (r'a="\"b\""', [("a", "=", '"b"')]),
        (r'a="b\\d"', [("a", "=", r"b\d")]),
        (r'a="\n\t\r\a\b\f\v"', [("a", "=", "\n\t\r\a\b\f\v")]),
        (r'a="\x41\101\u00e9\U0001f642"', [("a", "=", "AAé🙂")]),
        (r'a="\xf0\x9f\x99\x82"', [("a", "=", "🙂")]),
        (r'"\u00e9"=b', [("é", "=", "b")]),
        ("a='b'", None),
        ("a=", None),
        ("a=b c", None),
        ("a=b}", None),
        ("{a=b", None),
        ("{a=b}}", None),
        ("{{a=b}}", None),
        ("{a=b}{c=d}", None),
        ("{", None),
        ("}", None),
        (",", None),
        ("{,}", None),
        ("a=b,,", None),
        ("a", None),
        ("a!", None),
        ("=b", None),
        ("a==b", None),
        ("a=b=c", None),
        ("a=b`", None),
        (r"a=b\c", None),
        (r'a="\d"', None),
        (r'a="\'"', None),
        (r'a="\400"', None),
        (r'a="\xff"', None),
        (r'a="\U00110000"', None),
        ('a="b\nc"', None),
        ('a="b', None),
        ('a="b"c', None),
    ],
)
def test_utf8_syntax_is_read_as_documented(text, expected):
    if expected is None:
        with pytest.raises(MatcherError):
            utf8(text)
    else:
        assert [(one.name, one.op, one.value) for one in utf8(text)] == expected


@pytest.mark.parametrize(
    ("text", "counts", "kind", "suggestion"),
    [
        ('foo="bar"', 'foo="bar"', None, ""),
        ("foo=bar", 'foo="bar"', None, ""),
        ("é=bar", 'é="bar"', None, ""),
        ('"a b"=c', '"a b"="c"', None, ""),
        (r'foo=~"\\d+"', r'foo=~"\\d+"', None, ""),
        ("foo=", 'foo=""', "classic", 'foo=""'),
        ("foo=bar baz", 'foo="bar baz"', "classic", 'foo="bar baz"'),
        ("{foo=bar", 'foo="bar"', "classic", 'foo="bar"'),
        ("foo=~[a-z]{2}", 'foo=~"[a-z]{2"', "classic", 'foo=~"[a-z]{2"'),
        (r'foo=~"\d+"', r'foo=~"\\d+"', "classic", r'foo=~"\\d+"'),
        ("foo=~a|b=c", 'foo=~"a|b=c"', "classic", 'foo=~"a|b=c"'),
        (r'foo="\xf0\x9f\x99\x82"', r'foo="\\xf0\\x9f\\x99\\x82"', "disagreement", None),
        (r'foo="a\tb"', r'foo="a\\tb"', "disagreement", r'foo="a\\tb"'),
        (r'a="b",c="\u00e9"', r'a="b",c="\\u00e9"', "disagreement", None),
    ],
)
def test_the_classic_reading_counts_and_what_differs_is_told(text, counts, kind, suggestion):
    matchers, doubt = parse_doubting(text)
    assert ",".join(map(str, matchers)) == counts
    assert (doubt.kind if doubt else None) == kind
    if doubt and suggestion is not None:
        assert doubt.suggestion == suggestion


def test_a_doubt_says_where_the_utf8_syntax_goes_wrong_or_what_both_read():
    _, classic = parse_doubting("a=b, c=d e")
    assert (classic.column, "expected a comma between matchers" in classic.message) == (10, True)
    _, both = parse_doubting(r'a="\t"')
    assert r'reads this as {a="\\t"}, the UTF-8 syntax as {a="' in both.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", Matcher("a", "=", "b")),
        ("a=b,c=d", Matcher("a", "=", "b,c=d")),
        ("a=", Matcher("a", "=", "")),
        ('"é.x"!~"b"', Matcher("é.x", "!~", "b")),
        ("", None),
        ("{a=b}", None),
        ("{a=b", None),
        ("a=b}", None),
        ("é=b,c=d", None),
    ],
)
def test_one_matcher_alone_has_no_braces_and_no_second(text, expected):
    if expected is None:
        with pytest.raises(MatcherError):
            parse_matcher(text)
    else:
        assert parse_matcher(text) == expected


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_go_quotes_go_unquotes(text):
    assert unquote(quote(text)[1:-1]) == text


@given(st.text(st.sampled_from("ab1=!~\"\\,{} \nx'é.("), max_size=12))
def test_a_doubtful_text_has_a_suggestion_that_both_syntaxes_read_alike(text):
    with contextlib.suppress(MatcherError):
        matchers, doubt = parse_doubting(text)
        assert parse_doubting(doubt.suggestion if doubt else text) == (matchers, None)
