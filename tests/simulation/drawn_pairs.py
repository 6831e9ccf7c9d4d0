"""Pairs of configurations for tests of what a change does: drawn, with matchers that list their values."""

import json

from hypothesis import strategies as st

from config.compile import compile_plan
from config.load import load_text

LABELS = ("alertname", "severity", "team", "zone")
VALUES = {
    "alertname": ("A", "B", "C"),
    "severity": ("critical", "CRITICAL", "warning", "low", "odd"),
    "team": ("db", "web", "gone"),
    "zone": ("eu", "us"),
}
ANY = {name: (*values, "", "unheard-of") for name, values in VALUES.items()} | {
    "severity": (*VALUES["severity"], "", "Critical", "page", "unheard-of")
}
RECEIVERS = ("hook", "page", "chat")
POLICIES = ("calm", "loud")
TEAMS = ("db", "web")


@st.composite
def matchers(draw, most=2):
    return [draw(matcher()) for _ in range(draw(st.integers(1, most)))]


@st.composite
def matcher(draw):
    name = draw(st.sampled_from(LABELS))
    values = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True))
    op = draw(st.sampled_from(("=", "!=", "=~", "!~")))
    value = draw(st.sampled_from(("", values[0]))) if op in ("=", "!=") else "|".join(values)
    return f'{name}{op}"{value}"'


def routes(depth):
    told = st.one_of(
        st.fixed_dictionaries({"receiver": st.sampled_from(RECEIVERS)}),
        st.fixed_dictionaries({"policy": st.sampled_from(POLICIES)}),
    )
    more = {
        "continue": st.booleans(),
        "group_wait": st.sampled_from(("10s", "30s")),
        "group_by": st.sampled_from((["zone"], ["alertname"], ["..."])),
        "team": st.sampled_from(TEAMS),
    }
    if depth:
        more["routes"] = st.lists(routes(depth - 1), max_size=3)
    rest = st.fixed_dictionaries({"matchers": matchers()}, optional=more)
    return st.tuples(told, rest).map(lambda both: both[0] | both[1])


STEP = st.fixed_dictionaries(
    {"notify": st.lists(st.sampled_from(RECEIVERS), min_size=1, max_size=2, unique=True)},
    optional={"when": matchers(1)},
)


@st.composite
def policy(draw, name):
    steps = [{"notify": [{"team": "slack"}]}]
    times = sorted(draw(st.sets(st.integers(1, 9), max_size=2)))
    for after in times:
        step = draw(STEP)
        told = [{"receiver": receiver} for receiver in step["notify"]]
        steps.append(step | {"after": f"{after}m", "notify": told})
    return {"name": name, "steps": steps}


def rules(one):
    return st.lists(st.fixed_dictionaries(one), max_size=2)


@st.composite
def configurations(draw):
    inhibition = {"source_matchers": matchers(), "target_matchers": matchers()}
    return {
        "global": {"slack_app_token": "xoxb-1"},
        "route": {"receiver": "hook", "group_by": ["zone"], "routes": draw(st.lists(routes(1), max_size=3))},
        "receivers": [
            {"name": name, "webhook_configs": [{"url": f"http://127.0.0.1/{name}"}]} for name in RECEIVERS
        ],
        "escalation_policies": [draw(policy(name)) for name in POLICIES],
        "teams": [{"name": name, "slack_channel": f"#{name}"} for name in TEAMS],
        "team_defaults": {"slack_channel": "#all"},
        "team_rules": draw(rules({"matchers": matchers(), "team": st.sampled_from(TEAMS)})),
        "inhibit_rules": draw(rules(inhibition)),
    }


PARTS = ("route", "escalation_policies", "team_rules", "inhibit_rules")


@st.composite
def changes(draw):
    """A configuration and what becomes of it: another one, or the same but for one part."""
    old, other = draw(configurations()), draw(configurations())
    part = draw(st.sampled_from((*PARTS, "all", "nothing")))
    if part == "all":
        return old, other
    return old, old if part == "nothing" else old | {part: other[part]}


def alerts():
    values = {name: st.sampled_from(values) for name, values in ANY.items()}
    return (
        st.fixed_dictionaries(values).map(lambda labels: {n: v for n, v in labels.items() if v}).filter(bool)
    )


def plan(document):
    return compile_plan(load_text(json.dumps(document), "tocsin.yaml", {}))
