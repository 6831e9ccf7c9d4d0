"""Changes of a YAML text in a few places."""

import pytest

from config.source import read
from gateway.simulation.yaml_edit import NotHereError, YamlText

BLOCK = """\
# about
a: 1 # one
list:
  # first
  - {x: 1}   # of one

  - x: 2
    y: "#no comment"
  # last
  - 3

b: two
"""
FLOW = "top: {name: n, list: [1, {a: 2}, 3], last: x} # end\n"


def changed(text, *changes):
    edit = YamlText(text)
    for name, *arguments in changes:
        getattr(edit, name)(*arguments)
    return edit.changed()


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (("set_value", ("a",), "[5]"), "a: 1 #", "a: [5] #"),
        (("set_value", ("list", 1, "y"), "z"), 'y: "#no comment"', "y: z"),
        (("set_items", ("list",), {0: ["8", "9"]}), "- {x: 1}   #", "- 8\n  - 9   #"),
        (("set_items", ("list",), {1: ["9"]}), '- x: 2\n    y: "#no comment"', "- 9"),
        (("set_items", ("list",), {1: []}), '  - x: 2\n    y: "#no comment"\n', ""),
        (("set_items", ("list",), {0: []}), "  - {x: 1}   # of one\n", ""),
        (("set_items", ("list",), {}, ["4", "5"]), "  - 3\n", "  - 3\n  - 4\n  - 5\n"),
        (("set_items", ("list",), {2: []}, ["4"]), "- 3\n", "- 4\n"),
        (
            ("set_items", ("list",), {0: [], 1: [], 2: []}),
            BLOCK[BLOCK.index("list") : BLOCK.index("\nb:")],
            "",
        ),
        (("add", (), "a", "new", "true"), "a: 1 # one\n", "a: 1 # one\nnew: true\n"),
        (("add", (), "list", "new", ["4", "5"]), "  - 3\n", "  - 3\nnew:\n  - 4\n  - 5\n"),
        (("add", ("list", 1), "y", "z", "4"), 'y: "#no comment"\n', 'y: "#no comment"\n    z: 4\n'),
        (("remove", ("a",)), "a: 1 # one\n", ""),
        (("remove", ("b",)), "b: two\n", ""),
    ],
)
def test_a_change_leaves_all_else_as_it_is(change, old, new):
    assert BLOCK.count(old) == 1
    assert changed(BLOCK, change) == BLOCK.replace(old, new)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("set_items", ("top", "list"), {1: ["8", "9"]}),
            "top: {name: n, list: [1, 8, 9, 3], last: x} # end\n",
        ),
        (
            ("set_items", ("top", "list"), {2: []}, ["4"]),
            "top: {name: n, list: [1, {a: 2}, 4], last: x} # end\n",
        ),
        (("set_items", ("top", "list"), {0: [], 1: [], 2: []}), "top: {name: n, last: x} # end\n"),
        (("add", ("top",), "name", "k", "v"), "top: {name: n, list: [1, {a: 2}, 3], last: x, k: v} # end\n"),
        (("remove", ("top", "last")), "top: {name: n, list: [1, {a: 2}, 3]} # end\n"),
        (("remove", ("top", "name")), "top: {list: [1, {a: 2}, 3], last: x} # end\n"),
    ],
)
def test_what_is_written_on_one_line_stays_on_one_line(change, expected):
    assert changed(FLOW, change) == expected


def test_several_changes_of_other_places_are_made_together():
    text = changed(
        BLOCK, ("set_value", ("a",), "2"), ("remove", ("b",)), ("set_items", ("list",), {0: ["7"]})
    )
    assert read(text, "x", None).root.plain() == {
        "a": "2",
        "list": ["7", {"x": "2", "y": "#no comment"}, "3"],
    }


def test_lines_end_as_they_did():
    text = BLOCK.replace("\n", "\r\n")
    assert changed(text, ("add", (), "a", "k", ["1"])) == text.replace(
        "# one\r\n", "# one\r\nk:\r\n  - 1\r\n"
    )


def test_a_list_that_is_not_indented_stays_so():
    assert changed("l:\n- 1\n- 2\nm: 3", ("set_items", ("l",), {}, ["9"])) == "l:\n- 1\n- 2\n- 9\nm: 3"


def test_a_text_without_a_last_line_break_is_changed_too():
    assert changed("l:\n  - 1\nm: 3", ("add", (), "m", "k", "v")) == "l:\n  - 1\nm: 3\nk: v"
    assert changed("l: 1\nm: 3", ("remove", ("m",))) == "l: 1\n"


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("a: &x [1]\nb: *x\n", ("set_value", ("b",), "2")),
        ("a: &x {k: 1}\nb: {<<: *x, l: 2}\n", ("set_value", ("b", "k"), "2")),
        ("a: 1\n", ("set_value", ("b",), "2")),
        ("a: 1\n", ("set_items", ("a",), {})),
        ("a: 1\n", ("add", ("a",), "x", "y", "z")),
        ("- a: 1\n  b: 2\n", ("remove", (0, "a"))),
    ],
)
def test_what_stands_elsewhere_is_not_changed(text, change):
    with pytest.raises(NotHereError):
        changed(text, change)
