"""Configurations by chance: a house of receivers, teams, people and schedules, and the routes to them."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drawn_names import (
    INTERVALS,
    POLICIES,
    RECEIVERS,
    SCHEDULES,
    SEVERITIES,
    SLACK_IDS,
    TEAMS,
    USERS,
    ZONES,
    chance,
    key,
    minutes,
    some,
)
from drawn_routing import below, policy, root, rules, tell

if TYPE_CHECKING:
    from random import Random


def configuration(random: Random, began: int) -> dict[str, Any]:
    """A whole one, for a world that begins then."""
    config: dict[str, Any] = {
        "global": {
            "smtp_smarthost": "{smtp}", "smtp_from": "tocsin@mail.test", "smtp_require_tls": False,
            "slack_app_token": "xoxb-stand-in", "slack_app_url": "{slack}", "pagerduty_url": "{pagerduty}",
        },
        "external_url": "http://tocsin.test", "auth": {"link_secret": "sixteen-or-more-of-them"},
        "receivers": [_receiver(random, name) for name in RECEIVERS],
        "time_intervals": [{"name": name, "time_intervals": _periods(random, began)} for name in INTERVALS],
        "users": [_user(random, name) for name in USERS],
        "schedules": [_schedule(random, name, began) for name in SCHEDULES],
        "teams": [_team(random, name) for name in TEAMS],
        "escalation_policies": [policy(random, at) for at in range(len(POLICIES))],
        "route": root(random),
    }  # fmt: skip
    if chance(random, 0.7):
        config["severities"] = list(SEVERITIES)
    if chance(random, 0.5):
        config["team_defaults"] = {"slack_channel": "#ops", "on_call": "rota", "email": "nobody@mail.test"}
    if chance(random, 0.4):
        config["team_rules"] = [{"matchers": ['cluster="1"'], "team": "frontend"}]
    if chance(random, 0.6):
        config["inhibit_rules"] = rules(random)
        # Without any grace it is a matter of milliseconds whether a source is known in time.
        config["inhibit_grace"] = random.choice(("2s", "2s", "10s"))
        config["inhibit_release"] = random.choice(("0s", "30s", "90s"))
    config["dedup"] = {
        "reorder": random.choice(("45s", "1s", "2m")), "confirm": minutes(random, 1, 5, 6),
        "stale_after": random.choice(("12h", "12h", "25m")), "dismissed_for": minutes(random, 10, 30, 240),
    }  # fmt: skip
    return config


def another(random: Random, config: dict[str, Any], began: int) -> dict[str, Any]:
    """What somebody makes of a configuration: some sections drawn anew, the others as they were."""
    changed = deepcopy(config)
    sections = ("route", "order", "told", "gone", "policies", "receivers", "rules", "people", "intervals")
    for section in random.sample(sections, random.randint(1, 3)):
        match section:
            case "route":
                changed["route"] = root(random)
            case "order":
                random.shuffle(changed["route"]["routes"])
                changed["route"]["routes"][:1] = []
            case "told":
                for route in below(changed["route"]):
                    if chance(random, 0.5):
                        tell(random, route)
            case "gone":
                changed["escalation_policies"] = [policy(random, len(POLICIES) - 1)]
            case "policies":
                changed["escalation_policies"] = [policy(random, at) for at in range(len(POLICIES))]
            case "receivers":
                at = random.randrange(len(RECEIVERS))
                changed["receivers"][at] = _receiver(random, RECEIVERS[at])
            case "rules":
                changed["inhibit_rules"] = rules(random)
            case "people":
                changed["users"] = [_user(random, name) for name in USERS]
                changed["teams"] = [_team(random, name) for name in TEAMS]
                changed["schedules"] = [_schedule(random, name, began) for name in SCHEDULES]
            case _:
                changed["time_intervals"] = [
                    {"name": name, "time_intervals": _periods(random, began)} for name in INTERVALS
                ]
    there = {policy["name"] for policy in changed["escalation_policies"]}
    for route in below(changed["route"]):
        if route.get("policy", POLICIES[-1]) not in there:
            route["policy"] = POLICIES[-1]
    return changed


# --- who is told -----------------------------------------------------------------------------------------


def _receiver(random: Random, name: str) -> dict[str, Any]:
    ends = {"send_resolved": chance(random, 0.7)}
    hook = {"url": f"{{webhook}}/{name}"}
    found: dict[str, Any] = {"name": name}
    match name:
        case "hook":
            found["webhook_configs"] = [hook | ends]
        case "deaf":
            found["webhook_configs"] = [hook | {"send_resolved": False, "max_alerts": random.choice((0, 1))}]
        case "chat":
            found["slack_configs"] = [{"channel": "#alerts"} | ends | _mention(random)]
        case "ops":
            found["slack_configs"] = [{"api_url": "{slack-webhook}"} | ends]
        case "pager":
            found["pagerduty_configs"] = [{"routing_key": key("pager")} | ends]
        case "post":
            found["email_configs"] = [{"to": "post@mail.test, second@mail.test"} | ends]
        case "all":
            found["pagerduty_configs"] = [{"routing_key": key("all")}]
            found["slack_configs"] = [{"channel": "#high"} | ends]
            found["email_configs"] = [{"to": "all@mail.test"} | ends]
            found["webhook_configs"] = [hook]
        case "loud":
            found["webhook_configs"] = [hook, {"url": "{webhook}/louder"} | ends]
        case _:
            pass
    return found


def _mention(random: Random) -> dict[str, str]:
    return {"mention": "@here", "title": "{{ name }} in {{ route }}"} if chance(random, 0.3) else {}


def _user(random: Random, name: str) -> dict[str, Any]:
    ways = {
        "email": f"{name}@mail.test", "slack_id": SLACK_IDS[name], "pagerduty": key(name),
        "webhook": f"{{webhook}}/{name}",
    }  # fmt: skip
    has = sorted(random.sample(sorted(ways), random.randint(1, 3)))
    user = {"name": name, "time_zone": random.choice(ZONES)} | {way: ways[way] for way in has}
    kinds = tuple("slack" if way == "slack_id" else way for way in has)
    if chance(random, 0.6):
        user["contact"] = _contact(random, kinds)
        if chance(random, 0.4):
            user["contact"] = {"critical": _contact(random, kinds), "default": user["contact"]}
    return user


def _contact(random: Random, kinds: tuple[str, ...]) -> list[Any]:
    ways = some(random, kinds, 3)
    return [{way: minutes(random, 1, 2, 7)} if chance(random, 0.4) else way for way in ways]


def _team(random: Random, name: str) -> dict[str, Any]:
    own = f"#{name}"
    ways = {
        "slack_channel": random.choice((own, [own, "#high"], {"critical": "#high", "default": own})),
        "email": f"{name}@mail.test",
        "lead": random.choice((*USERS, f"lead@{name}.test")),
        "manager": random.choice((*USERS, f"manager@{name}.test")),
        "pagerduty": random.choice((key(name), {"critical": key(f"{name}1"), "default": key(name)})),
        "on_call": random.choice(SCHEDULES),
    }  # fmt: skip
    return {"name": name} | {way: ways[way] for way in ways if chance(random, 0.8)}


def _schedule(random: Random, name: str, began: int) -> dict[str, Any]:
    zone = random.choice(ZONES)
    start = datetime.fromtimestamp(began / 1000, UTC) - timedelta(days=random.randint(1, 20))
    layers = []
    for _ in range(random.choice((1, 1, 2))):
        turns: list[Any] = random.sample(USERS, random.randint(1, 3))
        if chance(random, 0.2):
            turns.append(random.sample(USERS, 2))
        layer: dict[str, Any] = {
            "people": turns,
            "start": start.strftime(f"%Y-%m-%d {random.randint(0, 23):02}:00"),
            "every": random.choice(("1h", "2h", "12h", "daily", "weekly", "2d")),
        }
        if layer["every"].endswith("h") and chance(random, 0.3):
            layer["hours"] = "wall"
        if chance(random, 0.4):
            first, last = random.sample(range(24), 2)
            layer["restrictions"] = [{"start_time": f"{first:02}:00", "end_time": f"{last:02}:30"}]
        layers.append(layer)
    found: dict[str, Any] = {"name": name, "time_zone": zone, "layers": layers}
    if chance(random, 0.3):
        at = datetime.fromtimestamp(began / 1000, UTC) + timedelta(minutes=random.randint(-600, 600))
        until = at + timedelta(minutes=random.choice((20, 90, 700)))
        found["overrides"] = [
            {"start": f"{at:%Y-%m-%d %H:%M}", "end": f"{until:%Y-%m-%d %H:%M}", "people": some(random, USERS)}
        ]
    return found


# --- when ------------------------------------------------------------------------------------------------


def _periods(random: Random, began: int) -> list[dict[str, Any]]:
    zone = random.choice(ZONES)
    found: list[dict[str, Any]] = []
    for _ in range(random.choice((1, 1, 2))):
        period: dict[str, Any] = {"location": zone} if chance(random, 0.6) else {}
        if chance(random, 0.7):
            first = random.randint(0, 23 * 60)
            last = min(first + random.choice((5, 40, 180, 600)), 24 * 60)
            if chance(random, 0.7) and not period:  # such that it is about now
                now = datetime.fromtimestamp(began / 1000, UTC)
                first = (now.hour * 60 + now.minute + random.randint(-30, 60)) % (23 * 60)
                last = min(first + random.choice((3, 20, 60)), 24 * 60)
            times = {"start_time": _clock(first), "end_time": _clock(last)}
            period["times"] = [times]
        if chance(random, 0.3):
            period["weekdays"] = [random.choice(("monday:friday", "saturday", "tuesday:thursday"))]
        if chance(random, 0.1):
            period["days_of_month"] = [random.choice(("1:15", "-5:-1", "24"))]
        found.append(period or {"times": [{"start_time": "00:00", "end_time": "01:00"}]})
    return found


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
