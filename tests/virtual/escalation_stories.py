"""Random stories of escalation: a house with its policies and people, and what happens in it.

A house is the model's; `yaml_of` writes it as a configuration. No two things happen at one moment: each has
milliseconds of its own, which the clocks that it starts keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from escalation_model import MINUTE, Alert, House, Policy, Step
from hypothesis import strategies as st

if TYPE_CHECKING:
    from escalation_model import Spans

SEVERITIES = ("critical", "high", "low")
ALERTS = {
    name: Alert(name, group, severity)
    for name, group, severity in [
        ("A", "1", "low"), ("B", "1", "high"), ("C", "1", "critical"), ("D", "1", "low"), ("E", "2", "high"),
    ]
}  # fmt: skip
BEGAN = (22 * 60 + 13) * MINUTE + 20_000  # of the day: when the world begins
RECEIVERS = ("root", "one", "two", "three", "deaf")
USERS = {
    "dana": (("user dana: webhook", 0), ("user dana: email", 2 * MINUTE)),
    "sam": (("user sam: webhook", 0),),
}


def clock(at: int) -> str:
    minutes = (at + BEGAN) // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def span(start: int, length: int) -> tuple[int, int]:
    """From `start` minutes after 22:20 on, within the day: (ms, ms) since the world's start."""
    first = 22 * 60 + 20 + start
    return first * MINUTE - BEGAN, min(first + length, 24 * 60) * MINUTE - BEGAN


class Happens(NamedTuple):
    """`what`: fires, ends (who: alerts), silence, skip, an answer, or reload."""

    gap: int
    what: str
    who: str = ""
    number: int = 1
    target: str = ""
    lasts: int = 0


spans = st.builds(span, st.integers(0, 80), st.integers(3, 40)).map(lambda one: (one,))
targets = st.sampled_from(
    [("receiver", name) for name in ("one", "two", "three")]
    + [("receiver", "deaf"), ("user", "dana"), ("user", "sam"), ("schedule", "rota")]
)


@st.composite
def policies(draw: st.DrawFn, others: tuple[str, ...], longest: int) -> Policy:
    steps: list[Step] = []
    after = 0
    for i in range(draw(st.integers(1, longest))):
        after += draw(st.sampled_from([1, 2, 5, 11])) * MINUTE if i else 0
        step = Step(
            tuple(draw(st.lists(targets, min_size=1, max_size=2, unique=True))),
            after,
            draw(st.sampled_from(["acknowledged", "acknowledged", "resolved"])),
            draw(st.sampled_from([0, 0, 0, 3])) * MINUTE,
            uncovered=draw(st.sampled_from(["next", "wait", "fallback"])),
        )
        if ("receiver", "deaf") in step.notify:
            step = step._replace(every=0)
        if draw(st.integers(0, 5)) == 0:
            step = step._replace(during=draw(spans), outside=draw(st.sampled_from(["pass", "hold"])))
        if i and others and draw(st.integers(0, 3)) == 0:
            severity = draw(st.sampled_from(["", "", "critical", "high"]))
            step = step._replace(policy=draw(st.sampled_from(others)), severity=severity, every=0)
            step = step._replace(notify=draw(st.sampled_from([(), step.notify])))
        if draw(st.integers(0, 5)) == 0:
            steps.append(step._replace(when=("1",)))
            step = step._replace(when=("2",), notify=(draw(targets),))
        steps.append(step)
    timeout = draw(st.sampled_from([0, 0, 7, 13])) * MINUTE
    fallback = draw(st.sampled_from([(), (("receiver", "three"),)]))
    if not fallback:
        steps = [step._replace(uncovered=step.uncovered.replace("fallback", "next")) for step in steps]
    keep_ack = draw(st.integers(0, 3)) == 0
    if keep_ack:
        steps = [step._replace(severity="") for step in steps]
    return Policy(
        tuple(steps),
        repeat=draw(st.sampled_from([0, 0, 0, 2])),
        repeat_after=4 * MINUTE,
        ack_timeout=timeout,
        reminder=draw(st.sampled_from([0, 2 * MINUTE])) if timeout else 0,
        fallback=fallback,
        ring_on_new=draw(st.booleans()),
        keep_ack=keep_ack,
        keep_ack_on_reopen=draw(st.integers(0, 3)) == 0,
        reopen_within=draw(st.sampled_from([0, 2, 5])) * MINUTE,
    )


@st.composite
def houses(draw: st.DrawFn) -> House:
    rota = draw(
        st.lists(st.tuples(spans, st.sampled_from([("dana",), ("sam",), ("dana", "sam")])), max_size=3)
    )
    shifts, last = [], 0
    for ((start, end),), people in sorted(rota):
        if max(start, last) < end:
            shifts.append((max(start, last), end, people))
            last = end
    named = {"r": draw(policies((), longest=3))}
    named["q"] = draw(policies(("r",), longest=3))
    named["p"] = draw(policies(("q", "r"), longest=4))
    return House(
        route="p",
        policies=named,
        users=USERS,
        on_call={"rota": tuple(shifts)},
        severities=SEVERITIES,
        group_wait=draw(st.sampled_from([0, 10_000])),
        group_interval=47_000,
        dismissed_for=15 * MINUTE,
        refuses=frozenset(["deaf"]),
    )


gaps = st.sampled_from([1, 20, 70, 200, 400, 900]).map(lambda s: s * 1000)
answered = st.builds(
    Happens,
    gaps,
    st.sampled_from(
        ["acknowledge", "acknowledge", "acknowledge", "snooze", "unacknowledge", "resolve", "escalate"]
    ),
    st.sampled_from(["dana", "sam", "nobody we know"]),
    st.sampled_from([1, 1, 1, 2]),
    lasts=st.sampled_from([3, 9]).map(lambda m: m * MINUTE),
)
asked = st.builds(
    Happens,
    gaps,
    st.sampled_from(["reassign", "responder"]),
    st.just("sam"),
    st.just(1),
    target=st.sampled_from(["user:dana", "schedule:rota"]),
)
alerts = st.builds(
    Happens, gaps, st.sampled_from(["fires", "fires", "ends"]), st.sampled_from(sorted(ALERTS))
)


def stories(*kinds: st.SearchStrategy[Happens], longest: int = 8) -> st.SearchStrategy[list[Happens]]:
    first = st.builds(Happens, gaps, st.just("fires"), st.sampled_from(sorted(ALERTS)))
    rest = st.lists(st.one_of(alerts, *kinds), max_size=longest)
    return st.tuples(first, rest).map(lambda both: [both[0], *both[1]])


# --- as a configuration ----------------------------------------------------------------------------------


def yaml_of(house: House) -> str:
    intervals: list[dict[str, Any]] = []

    def interval(of: Spans) -> str:
        times = [{"start_time": clock(start), "end_time": clock(end)} for start, end in of]
        name = f"i{len(intervals)}"
        when = {"days_of_month": ["14"], "months": ["11"], "years": ["2023"], "times": times}
        intervals.append({"name": name, "time_intervals": [when]})
        return name

    route: dict[str, Any] = {
        "receiver": "root", "group_by": ["cluster"], "group_wait": f"{house.group_wait // 1000}s",
        "group_interval": f"{house.group_interval // 1000}s",
        "routes": [{"matchers": ['cluster=~".+"'], "policy": house.route}],
    }  # fmt: skip
    if house.quiet:
        route["routes"][0]["mute_time_intervals"] = [interval(house.quiet)]
    config = {
        "global": {"smtp_smarthost": "mail.test:25", "smtp_from": "t@mail.test"},
        "severities": list(house.severities),
        "dedup": {"dismissed_for": _time(house.dismissed_for), "reorder": "1ms"},
        "inhibit_grace": "0s",
        "inhibit_rules": [
            {"source_matchers": [f'alertname="{source}"'], "target_matchers": [f'alertname="{target}"']}
            for source, target in house.inhibits
        ],
        "route": route,
        "receivers": [
            {"name": name, "webhook_configs": [{"url": f"http://{name}.test/"}]} for name in RECEIVERS
        ],
        "users": [_user(name, ways) for name, ways in house.users.items()],
        "schedules": [_schedule(name, shifts) for name, shifts in house.on_call.items()],
        "escalation_policies": [_policy(name, policy, interval) for name, policy in house.policies.items()],
        "time_intervals": intervals,
    }
    return yaml.safe_dump(config, sort_keys=False)


def _time(ms: int) -> str:
    return f"{ms // 1000}s"


def _user(name: str, ways: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    contact = [
        {place.split(": ")[1]: _time(delay)} if delay else place.split(": ")[1] for place, delay in ways
    ]
    return {"name": name, "email": f"{name}@a.test", "webhook": f"http://{name}.test/", "contact": contact}


def _schedule(name: str, shifts: Any) -> dict[str, Any]:
    over = [
        {"start": _moment(start), "end": _moment(end), "people": list(people)}
        for start, end, people in shifts
    ]
    return {
        "name": name, "layers": [{"people": ["sam"], "valid_until": "2020-01-01"}], "overrides": over
    }  # fmt: skip


def _moment(at: int) -> str:
    return "2023-11-15 00:00:00" if at + BEGAN >= 24 * 60 * MINUTE else f"2023-11-14 {clock(at)}:00"


def _policy(name: str, policy: Policy, interval: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "steps": [_step(step, interval) for step in policy.steps]}
    if policy.repeat:
        found["repeat"] = {"times": policy.repeat, "after": _time(policy.repeat_after)}
    if policy.ack_timeout:
        found |= {"ack_timeout": _time(policy.ack_timeout), "ack_reminder": _time(policy.reminder)}
    if policy.fallback:
        found["fallback"] = [{kind: who} for kind, who in policy.fallback]
    if policy.ring_on_new:
        found["on_new_alert"] = "ring"
    return found | {
        "keep_ack": policy.keep_ack,
        "keep_ack_on_reopen": policy.keep_ack_on_reopen,
        "reopen_within": _time(policy.reopen_within),
    }


def _step(step: Step, interval: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"after": _time(step.after), "unless": step.unless}
    if step.notify:
        found["notify"] = [{kind: name} for kind, name in step.notify]
    if step.every:
        found["every"] = _time(step.every)
    if step.policy:
        found["policy"] = step.policy
    if step.severity:
        found["severity"] = step.severity
    if step.when:
        found["when"] = [f'cluster="{step.when[0]}"']
    if step.during:
        found |= {"during": [interval(step.during)], "outside": step.outside}
    if ("schedule", "rota") in step.notify:
        found["uncovered"] = step.uncovered
    return found
