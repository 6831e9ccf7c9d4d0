"""Policies, routes and inhibition rules by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drawn_names import (
    INTERVALS,
    NAMES,
    POLICIES,
    RECEIVERS,
    SCHEDULES,
    SEVERITIES,
    TEAMS,
    USERS,
    chance,
    minutes,
    some,
)

if TYPE_CHECKING:
    from random import Random


# --- policies --------------------------------------------------------------------------------------------


def _target(random: Random) -> dict[str, str]:
    kind = random.choice(("receiver", "receiver", "user", "user", "team", "team", "schedule"))
    among = {
        "receiver": RECEIVERS, "user": USERS, "schedule": SCHEDULES,
        "team": ("slack", "email", "lead", "manager", "pagerduty", "on_call"),
    }  # fmt: skip
    return {kind: random.choice(among[kind])}


def _targets(random: Random, most: int = 3) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for _ in range(random.randint(1, most)):
        one = _target(random)
        if one not in found:
            found.append(one)
    return found


def policy(random: Random, at: int) -> dict[str, Any]:
    """It hands over to later ones only."""
    later = POLICIES[at + 1 :]
    fallback = _targets(random, 1) if chance(random, 0.4) else []
    steps: list[dict[str, Any]] = []
    after = 0
    for number in range(random.randint(1, 4)):
        after += random.choice((1, 2, 5, 11)) if number else 0
        steps += _step(random, after, later if number else (), fallback=bool(fallback))
    found: dict[str, Any] = {"name": POLICIES[at], "steps": steps}
    if fallback:
        found["fallback"] = fallback
    if chance(random, 0.3):
        found["repeat"] = {"times": random.choice((1, 2)), "after": minutes(random, 3, 6)}
    if chance(random, 0.4):
        found["ack_timeout"] = minutes(random, 6, 13)
        if chance(random, 0.5):
            found["ack_reminder"] = random.choice(("0s", "2m", "90s"))
    for name in ("keep_ack", "keep_ack_on_reopen"):
        if chance(random, 0.4):
            found[name] = True
    if chance(random, 0.4):
        found["on_new_alert"] = "ring"
    if chance(random, 0.5):
        found["reopen_within"] = minutes(random, 0, 2, 20)
    return found


def _step(random: Random, after: int, later: tuple[str, ...], *, fallback: bool) -> list[dict[str, Any]]:
    step: dict[str, Any] = {"notify": _targets(random)} | ({"after": f"{after}m"} if after else {})
    if chance(random, 0.3):
        step["unless"] = "resolved"
    if chance(random, 0.2):
        step["every"] = minutes(random, 3, 8)
    if chance(random, 0.3):
        step["during"] = some(random, INTERVALS)
        if chance(random, 0.5):
            step["outside"] = "hold"
    if any("schedule" in to or to.get("team") == "on_call" for to in step["notify"]) and chance(random, 0.6):
        step["uncovered"] = random.choice(("next", "wait", *(("fallback",) if fallback else ())))
    if later and chance(random, 0.35):
        step["policy"] = random.choice(later)
        if chance(random, 0.4):
            step["severity"] = random.choice(SEVERITIES)
        if chance(random, 0.4):
            for name in ("notify", "every", "uncovered"):
                step.pop(name, None)
    if chance(random, 0.2):
        other: dict[str, Any] = {name: value for name, value in step.items() if name in ("after", "unless")}
        step["when"] = ['cluster="1"']
        return [step, other | {"when": ['cluster="2"'], "notify": _targets(random, 2)}]
    return [step]


# --- routes ----------------------------------------------------------------------------------------------


MATCHERS = (
    'team="backend"', 'team="frontend"', 'team=~"back.*|front.*"', 'severity="critical"',
    'severity=~"high|low"', 'cluster="1"', 'cluster!="1"', 'alertname=~"A|B|C"', 'alertname="D"',
    'team!~"back.+"',
)  # fmt: skip


def root(random: Random) -> dict[str, Any]:
    root = _timers(random) | {
        "receiver": random.choice(RECEIVERS[:-1]),
        "group_by": random.choice((["cluster"], ["alertname"], ["team", "cluster"])),
    }
    return root | {"routes": [_route(random, 1) for _ in range(random.randint(1, 4))]}


def _timers(random: Random) -> dict[str, Any]:
    return {
        "group_wait": random.choice(("0s", "10s", "30s")),
        "group_interval": random.choice(("47s", "1m", "5m")),
        "repeat_interval": minutes(random, 17, 30, 61),
    }


def _route(random: Random, depth: int) -> dict[str, Any]:
    route: dict[str, Any] = {"matchers": some(random, MATCHERS)}
    if chance(random, 0.1):
        route.pop("matchers")
    if chance(random, 0.25):
        route["name"] = f"route {random.randrange(10**6)}"
    tell(random, route)
    route |= {name: value for name, value in _timers(random).items() if chance(random, 0.3)}
    if chance(random, 0.4):
        route["group_by"] = random.choice((["alertname"], ["cluster"], ["..."], [], ["team"]))
    if chance(random, 0.35):
        route["continue"] = True
    if chance(random, 0.2):
        route["mute_time_intervals"] = some(random, INTERVALS)
    elif chance(random, 0.12):
        route["active_time_intervals"] = some(random, INTERVALS)
    if chance(random, 0.15):
        route["team"] = random.choice(TEAMS)
    if chance(random, 0.15):
        route["labels"] = {"runbook": "yes"}
    if depth < 3 and chance(random, 0.3):
        route["routes"] = [_route(random, depth + 1) for _ in range(random.randint(1, 2))]
    return route


def tell(random: Random, route: dict[str, Any]) -> None:
    """By a receiver, by a policy, or by what the route above it says."""
    for name in ("receiver", "policy"):
        route.pop(name, None)
    kind = random.choice(("receiver", "policy", "policy", "inherited"))
    if kind == "receiver":
        route["receiver"] = random.choice(RECEIVERS)
    elif kind == "policy":
        route["policy"] = random.choice(POLICIES)


def below(route: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for child in route.get("routes", ()) for one in (child, *below(child))]


def rules(random: Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(random.randint(1, 3)):
        source, target = (some(random, MATCHERS, 1) for _ in range(2))
        if chance(random, 0.5):
            source, target = ([f'alertname=~"{"|".join(some(random, NAMES, 3))}"'] for _ in range(2))
        rule: dict[str, Any] = {"source_matchers": source, "target_matchers": target}
        if chance(random, 0.5):
            rule["equal"] = some(random, ("cluster", "team", "nothing"))
        if chance(random, 0.3):
            rule["name"] = f"rule {len(found)}"
        found.append(rule)
    if chance(random, 0.35):  # a circle
        found += [
            {
                "source_matchers": ['alertname="A"'],
                "target_matchers": ['alertname="B"'],
                "equal": ["cluster"],
            },
            {
                "source_matchers": ['alertname="B"'],
                "target_matchers": ['alertname="A"'],
                "equal": ["cluster"],
            },
        ]
    return found
