"""YAML as a document with places: what is read, what is refused, and how variables are filled in."""

import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.problems import ConfigError
from config.source import MAX_BYTES, MAX_DEPTH, read

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
CHAIN = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} {'[' * 50}*a{n - 1}{']' * 50}\n" for n in range(1, 30))


def plain(text, **env):
    document = read(textwrap.dedent(text), "f.yaml", env)
    assert not document.problems
    return document.root.plain()


def told(text, **env):
    try:
        return [str(problem) for problem in read(text, "f.yaml", env).problems]
    except ConfigError as error:
        return [str(problem) for problem in error.problems]


def test_every_scalar_stays_text_and_nothing_stays_nothing():
    assert plain("{a: 0123, b: yes, c: 1.50, d: '~', e: ~, f: , g: null, h: 'x'}") == {
        "a": "0123", "b": "yes", "c": "1.50", "d": "~", "e": None, "f": None, "g": None, "h": "x",
    }  # fmt: skip


def test_anchors_aliases_and_merges_are_followed():
    text = """\
        one: &one {a: 1, b: 2}
        two: {<<: *one, b: 3}
        three: {<<: [*one, {c: 4}], a: 5}
        four: *one
        """
    assert plain(text) == {
        "one": {"a": "1", "b": "2"},
        "two": {"a": "1", "b": "3"},
        "three": {"a": "5", "b": "2", "c": "4"},
        "four": {"a": "1", "b": "2"},
    }


def test_matchers_are_added_to_those_that_are_merged_in():
    text = """\
        one: &one {matchers: [a=b], match: {c: d}, group_by: [x]}
        two: {<<: *one, matchers: [e=f], match: {g: h}, group_by: [y]}
        three: *one
        """
    assert plain(text)["two"] == {
        "matchers": ["a=b", "e=f"],
        "match": {"c": "d", "g": "h"},
        "group_by": ["y"],
    }
    assert plain(text)["three"] == plain(text)["one"]


def test_a_byte_order_mark_is_no_part_of_the_document():
    assert plain("\ufeffa: 1") == {"a": "1"}


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        (("a",), True, (1, 1)),
        (("a",), False, (1, 4)),
        (("b", 0), False, (3, 5)),
        (("b", 1, "c"), True, (4, 5)),
        (("b", 1, "c"), False, (4, 9)),
        (("b", 1, "nowhere", 3), False, (4, 5)),
        (("d",), False, (5, 5)),
        (("é",), False, (6, 7)),
        ((), False, (1, 1)),
    ],
)
def test_keys_and_values_know_their_line_and_column(path, key, place):
    text = "a: x\nb:\n  - y\n  - c: \"q\"\nd:  z\n'é':  ü\n"
    node = read(text, "f", {}).at(path, key=key)
    assert (node.line, node.column) == place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "one"),
        ("<${A}${B}>", "<onetwo>"),
        ("'${A}'", "one"),
        ("${NO:-d e}", "d e"),
        ("${NO:-}", ""),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("$${A}", "${A}"),
        ("$A $$ a$ ^x$", "$A $$ a$ ^x$"),
        ("${TRICK}", "${A}"),
        ("${YAML}", "a: [1"),
    ],
)
def test_variables_are_filled_in_after_parsing(text, expected):
    env = {"A": "one", "B": "two", "EMPTY": "", "TRICK": "${A}", "YAML": "a: [1"}
    assert plain(f"k: {text}", **env) == {"k": expected}


def test_keys_are_not_filled_in():
    assert plain("'${A}': 1", A="x") == {"${A}": "1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  - b: ${NO}", "f.yaml:2:8: a[0].b: the environment variable NO is not set"),
        ("a: [x, '${NO}']", "f.yaml:1:9: a[1]: the environment variable NO is not set"),
        ("a: x ${1b}", "f.yaml:1:4: a: '${' begins no variable"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: a: the key 'a' stands here twice; the first is in line 1"),
        ("x:\n  - {a: 1, a: 2}", "f.yaml:2:12: x[0].a: the key 'a' stands here twice"),
        ("a: !vault x", "f.yaml:1:4: a: the tag !vault is not read"),
        ("a: {<<: x}", "f.yaml:1:5: a: << takes a mapping"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing\n", "f.yaml:1:1: the file is empty"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins"),
        ("a: {{ .x }}", "f.yaml:1:5: a mapping cannot be a key"),
        ("a: *b", "f.yaml:1:4: the alias *b has no anchor"),
        ("a: &b [*b]", "f.yaml:1:8: the alias *b stands inside"),
        ("a:\n\t- b", "f.yaml:2:1: not YAML: a tab in the indentation"),
        ("a: @b", "f.yaml:1:4: not YAML: no value can begin with '@'"),
        ("a: b: c", "f.yaml:1:5: not YAML: a ':' where no key can be"),
        ("a: [1, 2", "f.yaml:1:4: not YAML: expected ',' or ']'"),
        ("a: 'x", "f.yaml:1:4: not YAML: the file ends inside a quoted text"),
        ('a: "\\q"', "f.yaml:1:5: not YAML: no such escape"),
        ("a: 1\n b: 2", "f.yaml:2:3: not YAML:"),
        ("a: \x01", "f.yaml:1:4: the character '\\x01' is not allowed"),
        ("[" * (MAX_DEPTH + 1), f"f.yaml:1:65: nested more than {MAX_DEPTH} levels"),
        ("[" * 1_000_000, "nested more than"),
        ("x: " + "a" * MAX_BYTES, "f.yaml:1:1: larger than 4 MiB"),
        (BOMB, "more than 200,000 values, aliases expanded"),
        (CHAIN, "levels deep, aliases expanded"),
        ("[" + "a," * 300_000 + "]", "more than 200,000 values"),
    ],
    ids=range(27),
)
def test_what_cannot_be_read_is_refused_with_its_place(text, expected):
    (problem,) = told(text)
    assert expected in problem


@given(st.text(st.sampled_from("ab:-[]{},&*'\"#|>!%@`~<?$ \n\t0é"), max_size=60))
@example("? [a]\n: b")
@example("- - ? a")
@example("a: |\n  x\n b")
@example("&a a: *a")
def test_any_text_is_a_document_or_problems_with_places_inside_it(text):
    lines = text.split("\n")
    try:
        problems = read(text, "f", {}).problems
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
