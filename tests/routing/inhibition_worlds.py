"""Rules and alerts for the tests of inhibition: written short, and random ones that form circles often."""

import itertools

from hypothesis import strategies as st

from routing.alerts import alert_key
from routing.inhibition import Rule, Rules, Source
from routing.inhibition_index import Index
from routing.judge import judge, run
from routing.matchers import Matcher, parse_matchers


def rule(source, target, *equal, name=""):
    return Rule(name, parse_matchers(source), parse_matchers(target), equal)


def rules_of(*texts):
    """Rules written as `source > target by equal equal`."""
    found = []
    for text in texts:
        source, _, rest = text.partition(" > ")
        target, _, equal = rest.partition(" by ")
        found.append(rule(source.strip(), target.strip(), *equal.split()))
    return tuple(found)


def labels_of(text):
    """Labels written as `a=1 b=2`."""
    return dict(pair.split("=", 1) for pair in text.split())


def alert(rank=0, starts_at=0, /, **labels):
    key = alert_key(labels)
    return Source(key, key, rank, starts_at, labels)


def index_of(rules, alerts):
    index = Index()
    for one in alerts:
        index.add(rules.roles(one.labels).sources, one)
    return index


def nobody_silenced(labels):
    return False


def verdicts(rules, alerts, silenced=nobody_silenced, **options):
    """What is said of each alert, by its key."""
    compiled = Rules(rules)
    index = index_of(compiled, alerts)
    return {one.alert: run(judge(compiled, one, silenced, **options), index.answer) for one in alerts}


# Few names and values, so that rules meet each other's alerts.
_VALUES = ("x", "y", "z")
_MATCHERS = [
    *(Matcher(name, "=", value) for name in "ab" for value in _VALUES),
    *(Matcher("a", "!=", value) for value in _VALUES),
    *(Matcher("b", op, value) for op in ("=~", "!~") for value in ("x|y", "[yz]", "z?", ".+")),
]
SIDES = [
    *((one,) for one in _MATCHERS * 6),
    (),
    *((one, other) for one, other in itertools.combinations(_MATCHERS, 2) if one.name != other.name),
]
EQUAL = [(), (), ("c",), ("c",), ("b",), ("a",), ("b", "c"), ("missing",)]
LABELS = [
    {name: value for name, value in zip("abcd", values, strict=True) if value}
    for values in itertools.product(("x", "y", "z"), ("", "x", "y", "z"), ("", "1"), ("", "silenced"))
]

_sides, _equals = st.sampled_from(SIDES), st.sampled_from(EQUAL)
_rules = st.builds(Rule, st.just(""), _sides, _sides, _equals)


def _ring(sides, equal, others):
    """Rules of which each one's targets are the next one's sources, among others."""
    ring = [Rule("", one, after, equal) for one, after in zip(sides, sides[1:] + sides[:1], strict=True)]
    return (*others[:1], *ring, *others[1:])


_rings = st.builds(
    _ring, st.lists(_sides, min_size=2, max_size=3, unique=True), _equals, st.lists(_rules, max_size=2)
)
rule_sets = st.lists(_rules, min_size=1, max_size=5).map(tuple) | _rings | _rings
_alerts = st.builds(
    lambda labels, rank, at: alert(rank, at, **labels),
    st.sampled_from(LABELS),
    st.integers(0, 1),
    st.integers(0, 1),
)
_many = st.lists(_alerts, min_size=4, max_size=10, unique_by=lambda one: one.alert)
alert_sets = _many | _many | st.lists(_alerts, min_size=1, max_size=3, unique_by=lambda one: one.alert)


def silenced(labels):
    return "d" in labels
