"""A key with nothing behind it is not missing: it is empty, and said to be."""

import pytest

from config.load import ConfigError, load_text


def told(text):
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f.yaml", {})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("route:\nreceivers: [{name: a}]", "f.yaml:1:1: route: is empty; expected keys and values below it"),
        ("redis: {}\nroute: ~\nreceivers: [{name: a}]", "f.yaml:2:1: route: is empty"),
        ("redis: {}\nreceivers: [{name: a}]", "f.yaml:1:1: route: this key is missing"),
        (
            "route: {receiver: a}\nreceivers:",
            "f.yaml:2:1: receivers: is empty; expected at least one receiver",
        ),
        ("route: {receiver: a, routes: [{receiver: b}]}\nreceivers: []", "f.yaml:2:1: receivers: is empty"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: }]", "2:25: receivers[1].name: is empty"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {}]", "2:24: receivers[1].name: this key is missing"),
    ],
)
def test_an_empty_key_is_told_once_and_where_it_stands(text, expected):
    (problem,) = told(text)
    assert expected in problem
