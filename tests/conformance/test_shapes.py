"""Files as people write them for Alertmanager: both take them as they are, and both tell the same receivers.

Each file in `shapes/` is of another shape. Its comments `# ask: name=value ...` are label sets worth asking
about; more are drawn from the words that its matchers use.
"""

import random
from pathlib import Path

import pytest

from config.compile import compile_plan
from config.load import load, load_text
from routing.tree import Tree, walk

pytestmark = pytest.mark.e2e

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.yml"))
DRAWN = 12

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.stem)


def asked(shape):
    """The label sets of the comments."""
    lines = shape.read_text().splitlines()
    questions = [line.removeprefix("# ask: ").split() for line in lines if line.startswith("# ask: ")]
    return [dict(word.split("=", 1) for word in words) for words in questions]


def drawn(shape, root):
    """Label sets of the names and values that matchers and comments have, the same ones in each run."""
    words = [(matcher.name, matcher.value) for route in walk(root) for matcher in route.matchers]
    words += [pair for labels in asked(shape) for pair in labels.items()]
    draw = random.Random(shape.stem)
    return [dict(draw.sample(words, min(len(words), draw.randint(1, 5)))) for _ in range(DRAWN)]


def classic(labels):
    """amtool 0.25 takes classic label names only."""
    return {name: value for name, value in labels.items() if name.isascii()}


@every_shape
def test_both_take_a_file_of_this_shape(shape, amtool):
    assert amtool.takes(shape)
    assert load(shape, {}) == load_text(shape.read_text(), "alertmanager.yml", {}, base=shape.parent)


@every_shape
def test_a_file_of_this_shape_tells_the_same_receivers(shape, amtool):
    root = compile_plan(load(shape, {})).root
    tree = Tree(root)
    questions = [classic(labels) for labels in [{}, *asked(shape), *drawn(shape, root)]]
    ours = [[route.receiver for route in tree.match(labels)] for labels in questions]
    theirs = amtool.each(lambda labels: amtool.receivers(shape, labels), questions)
    assert list(zip(questions, ours, strict=True)) == list(zip(questions, theirs, strict=True))


@every_shape
def test_the_comments_ask_for_enough(shape):
    """Most of the receivers of a file are reached by what is asked, so that the answers mean something."""
    root = compile_plan(load(shape, {})).root
    tree = Tree(root)
    reached = {route.receiver for labels in asked(shape) for route in tree.match(labels)}
    named = {route.receiver for route in walk(root)}
    assert len(reached) * 2 >= len(named) or len(named) > 20
