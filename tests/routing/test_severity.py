"""What severities rank, are called and mean to services."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.severity import MOST, USUAL, Severities

OWN = Severities("prio", ("p1", "p2", "p3", "p4", "p5"), {"page": "p1", "warning": "p3"}, "p4")
WORDS = st.text(max_size=8)


@pytest.mark.parametrize(
    ("severity", "rank"),
    [
        *(("critical", 0), ("page", 0), ("HIGH", 1), ("error", 1), ("warning", 2), ("medium", 2)),
        *(("low", 3), ("notice", 3), ("info", 4), ("none", 4), ("banana", 2), ("", 2)),
    ],
)
def test_without_a_configuration_the_usual_words_count(severity, rank):
    assert USUAL.rank({"severity": severity}) == rank


def test_a_missing_severity_is_the_one_in_the_middle_or_the_default():
    assert USUAL.rank({}) == 2
    assert Severities(names=("a", "b", "c", "d"), aliases={}).rank({}) == 2
    assert Severities(names=("a", "b"), aliases={}).rank({}) == 1
    assert Severities(names=("only",), aliases={}).rank({}) == 0
    assert OWN.rank({}) == 3


@pytest.mark.parametrize(
    ("word", "rank", "known"),
    [("p1", 0, True), ("P1", 0, True), ("page", 0, True), ("warning", 2, True), ("critical", 3, False)],
)
def test_with_a_configuration_its_words_alone_count(word, rank, known):
    labels = {"prio": word, "severity": "critical"}
    assert OWN.rank(labels) == rank
    assert OWN.known(labels) is known


@pytest.mark.parametrize(
    ("severities", "grades"),
    [
        (USUAL, "critical error warning info info"),
        (OWN, "critical error warning info info"),
        (Severities(names=("critical", "warning", "info"), aliases={}), "critical warning info"),
        (Severities(names=("critical", "high", "medium", "low"), aliases={}), "critical error warning info"),
        (Severities(names=("high", "low"), aliases={}), "error info"),
        (Severities(names=("wake", "tomorrow"), aliases={}), "critical error"),
    ],
)
def test_each_severity_has_one_of_four_grades(severities, grades):
    assert [severities.grade(name) for name in severities.names] == grades.split()


def test_an_alias_has_the_grade_of_what_it_stands_for():
    assert OWN.grade("Page") == "critical"
    assert Severities(names=("high", "low"), aliases={"warning": "high"}).grade("warning") == "error"


def test_an_unknown_word_is_an_error_unless_a_default_says_what_it_is():
    assert USUAL.grade("banana") == USUAL.grade("") == "error"
    assert OWN.grade("banana") == "info"


def test_a_rank_that_is_gone_after_a_change_is_the_mildest():
    assert Severities(names=("a", "b"), aliases={}).name(7) == "b"


@given(st.lists(WORDS.map(str.lower), min_size=1, max_size=MOST, unique=True), WORDS)
def test_every_word_has_a_rank_and_its_name_has_the_same(names, word):
    severities = Severities(names=tuple(names), aliases={})
    rank = severities.rank({"severity": word})
    assert severities.rank({"severity": severities.name(rank)}) == rank
    assert severities.known({"severity": word}) is (word.lower() in names)
