"""Configurations by chance: a house of receivers, teams, people and schedules, and the routes to them."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

SEVERITIES = ("critical", "high", "low")
TEAMS = ("backend", "frontend")
USERS = ("dana", "sam", "lee", "kim")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
RECEIVERS = ("hook", "deaf", "chat", "ops", "pager", "post", "all", "loud", "nobody")
POLICIES = ("p", "q", "r")
SCHEDULES = ("rota", "nights")
INTERVALS = ("i1", "i2", "i3")
CHANNELS = ("alerts", "backend", "frontend", "high", "ops")
SLACK_IDS = {name: f"U0{name.upper()}" for name in USERS}
NAMES = ("A", "B", "C", "D", "E", "F")


def key(name: str) -> str:
    """A routing key of PagerDuty, of the length that it wants."""
    return (name * 32)[:32]


def chance(random: Random, share: float) -> bool:
    return random.random() < share


def some(random: Random, among: tuple[Any, ...], most: int = 2) -> list[Any]:
    return random.sample(among, random.randint(1, min(most, len(among))))


def minutes(random: Random, *among: int) -> str:
    return f"{random.choice(among)}m"


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
        "escalation_policies": [_policy(random, at) for at in range(len(POLICIES))],
        "route": _root(random),
    }  # fmt: skip
    if chance(random, 0.7):
        config["severities"] = list(SEVERITIES)
    if chance(random, 0.5):
        config["team_defaults"] = {"slack_channel": "#ops", "on_call": "rota", "email": "nobody@mail.test"}
    if chance(random, 0.4):
        config["team_rules"] = [{"matchers": ['cluster="1"'], "team": "frontend"}]
    if chance(random, 0.6):
        config["inhibit_rules"] = _rules(random)
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
                changed["route"] = _root(random)
            case "order":
                random.shuffle(changed["route"]["routes"])
                changed["route"]["routes"][:1] = []
            case "told":
                for route in _below(changed["route"]):
                    if chance(random, 0.5):
                        _tell(random, route)
            case "gone":
                changed["escalation_policies"] = [_policy(random, len(POLICIES) - 1)]
            case "policies":
                changed["escalation_policies"] = [_policy(random, at) for at in range(len(POLICIES))]
            case "receivers":
                at = random.randrange(len(RECEIVERS))
                changed["receivers"][at] = _receiver(random, RECEIVERS[at])
            case "rules":
                changed["inhibit_rules"] = _rules(random)
            case "people":
                changed["users"] = [_user(random, name) for name in USERS]
                changed["teams"] = [_team(random, name) for name in TEAMS]
                changed["schedules"] = [_schedule(random, name, began) for name in SCHEDULES]
            case _:
                changed["time_intervals"] = [
                    {"name": name, "time_intervals": _periods(random, began)} for name in INTERVALS
                ]
    there = {policy["name"] for policy in changed["escalation_policies"]}
    for route in _below(changed["route"]):
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


def _policy(random: Random, at: int) -> dict[str, Any]:
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


def _root(random: Random) -> dict[str, Any]:
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
    _tell(random, route)
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


def _tell(random: Random, route: dict[str, Any]) -> None:
    """By a receiver, by a policy, or by what the route above it says."""
    for name in ("receiver", "policy"):
        route.pop(name, None)
    kind = random.choice(("receiver", "policy", "policy", "inherited"))
    if kind == "receiver":
        route["receiver"] = random.choice(RECEIVERS)
    elif kind == "policy":
        route["policy"] = random.choice(POLICIES)


def _below(route: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for child in route.get("routes", ()) for one in (child, *_below(child))]


def _rules(random: Random) -> list[dict[str, Any]]:
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
