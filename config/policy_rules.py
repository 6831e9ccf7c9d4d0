"""Rules about escalation policies: which keys of a step go together, whom it names, how they are reached.

They look at the document as written, as `rules.py` does. All of them are Tocsin's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.people_rules import all_teams, reached_by, severity_names
from config.policies import KINDS
from config.problems import did_you_mean
from config.values import parse_duration
from config.written import Mistake, at_most_one, entries, mapping, names, texts, unique, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.problems import Path

_WITHOUT: Final[Mapping[str, tuple[str, str]]] = {  # a key -> what it needs beside it, and why
    "severity": ("policy", "the severity that an incident is handed over with"),
    "every": ("notify", "what is said again"),
    "outside": ("during", "the time intervals that it is about"),
}


class _Known(NamedTuple):
    """What can be named in policies.

    Attributes:
        users: name -> the services that tell the user.
        ways: how a team can be told by a person -> the services that some team's needs.
        glob: the section `global`.
    """

    severities: list[str]
    receivers: frozenset[str]
    users: Mapping[str, list[str]]
    schedules: frozenset[str]
    policies: frozenset[str]
    intervals: frozenset[str]
    ways: Mapping[str, list[str]]
    glob: dict[str, Any]


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """All that is wrong between the keys of policies."""
    yield from unique(data, "policy", "escalation_policies")
    known = _known(data)
    for at, policy in entries(data, "escalation_policies"):
        path: Path = ("escalation_policies", at)
        yield from _acknowledgement(path, policy)
        for position, target in entries(policy, "fallback"):
            yield from _target((*path, "fallback", position), target, known)
        before: dict[str, Any] | None = None
        for position, step in entries(policy, "steps"):
            here: Path = (*path, "steps", position)
            yield from _step(here, step, known, policy)
            yield from _time(here, step, before)
            before = step


def _known(data: dict[str, Any]) -> _Known:
    users = {str(user.get("name")): reached_by(user) for _, user in entries(data, "users")}
    return _Known(
        severities=severity_names(data),
        receivers=names(data, "receivers"),
        users=users,
        schedules=names(data, "schedules"),
        policies=names(data, "escalation_policies"),
        intervals=names(data, "time_intervals", "mute_time_intervals"),
        ways={way: _reached_through(way, data, users) for way in ("lead", "manager")},
        glob=mapping(data.get("global")),
    )


def _reached_through(way: str, data: dict[str, Any], users: Mapping[str, list[str]]) -> list[str]:
    """The services that tell the leads, or managers, of all teams."""
    people = [str(team.get(way) or "") for _, team in all_teams(data)]
    return _all([["email"] if "@" in name else users.get(name, []) for name in people])


def _all(services: list[list[str]]) -> list[str]:
    return list(dict.fromkeys(service for some in services for service in some))


def _acknowledgement(path: Path, policy: dict[str, Any]) -> Iterator[Mistake]:
    timeout, reminder = _duration(policy.get("ack_timeout")), _duration(policy.get("ack_reminder"))
    if not policy.get("ack_timeout") and reminder:
        message = "no acknowledgement ends here, so nobody is reminded of it; expected ack_timeout beside it"
        yield Mistake((*path, "ack_reminder"), message, key=True)
    elif timeout and reminder and reminder >= timeout:
        message = "the reminder would come before the acknowledgement; expected less than ack_timeout"
        yield Mistake((*path, "ack_reminder"), message)


def _duration(value: Any) -> int | None:
    """None: what is wrong with it says the schema."""
    try:
        return parse_duration(value) if value else 0
    except Exception:  # noqa: BLE001 - the schema says what is wrong with it
        return None


# --- steps ---------------------------------------------------------------------------------------------


def _step(path: Path, step: dict[str, Any], known: _Known, policy: dict[str, Any]) -> Iterator[Mistake]:
    if not step.get("notify") and not step.get("policy"):
        message = "this step tells nobody; expected notify, such as notify: [{team: slack}], or policy"
        yield Mistake(path, message)
    else:
        for key, (needed, why) in _WITHOUT.items():
            if step.get(key) and not step.get(needed):
                yield Mistake((*path, key), f"stands without {needed}, {why}; expected both", key=True)
    if step.get("policy") and step.get("policy") == policy.get("name"):
        yield Mistake((*path, "policy"), "the policy hands over to itself; expected another one")
    where = "escalation_policies"
    yield from unknown((*path, "policy"), step.get("policy"), "policy", known.policies, where)
    severity = step.get("severity")
    if isinstance(severity, str) and severity.lower() not in known.severities:
        message = f"there is no severity {severity!r}; expected one of {', '.join(known.severities)}"
        yield Mistake((*path, "severity"), message + did_you_mean(severity.lower(), known.severities))
    for at, name in enumerate(texts(step, "during")):
        yield from unknown((*path, "during", at), name, "interval", known.intervals, "time_intervals")
    for at, target in entries(step, "notify"):
        yield from _target((*path, "notify", at), target, known)
    yield from _uncovered(path, step, policy)


def _uncovered(path: Path, step: dict[str, Any], policy: dict[str, Any]) -> Iterator[Mistake]:
    if not step.get("uncovered"):
        return
    if not any(to.get("schedule") or to.get("team") == "on_call" for _, to in entries(step, "notify")):
        message = (
            "this step tells nobody's on-call; expected a target such as {schedule: NAME} or {team: on_call}"
        )
        yield Mistake((*path, "uncovered"), message, key=True)
    elif step["uncovered"] == "fallback" and not policy.get("fallback"):
        message = "this policy has no fallback; expected fallback beside its steps, such as [{team: lead}]"
        yield Mistake((*path, "uncovered"), message)


def _time(path: Path, step: dict[str, Any], before: dict[str, Any] | None) -> Iterator[Mistake]:
    after = _duration(step.get("after"))
    if after is None:
        return
    if before is None and after:
        message = "the first step is due at once; expected no after, or a longer group_wait on the route"
        yield Mistake((*path, "after"), message, key=True)
    elif not after and step.get("policy"):
        message = "the step hands over at once; expected after, or this policy on the route"
        yield Mistake((*path, "policy"), message, key=True)
    elif before is not None and after < (_duration(before.get("after")) or 0):
        message = "this step comes before the one above it; expected after, since the first step, to grow"
        yield Mistake(path if not after else (*path, "after"), message)
    elif before is not None and not after and not (_conditional(before) and _conditional(step)):
        message = (
            "this step has no time; expected after, since the first step, such as after: 15m, or both it and"
            " the one above it to have a when or during"
        )
        yield Mistake(path, message)


def _conditional(step: dict[str, Any]) -> bool:
    return bool(step.get("when") or step.get("during"))


# --- targets -------------------------------------------------------------------------------------------


def _target(path: Path, target: dict[str, Any], known: _Known) -> Iterator[Mistake]:
    yield from at_most_one(path, target, KINDS)
    if not any(target.get(kind) for kind in KINDS):
        yield Mistake(path, f"this target is nobody; expected one of {', '.join(KINDS)}")
    yield from unknown((*path, "receiver"), target.get("receiver"), "receiver", known.receivers, "receivers")
    yield from unknown((*path, "user"), target.get("user"), "user", known.users, "users")
    yield from unknown((*path, "schedule"), target.get("schedule"), "schedule", known.schedules, "schedules")
    kind = next((kind for kind in KINDS if target.get(kind)), "")
    for service in _services(target, known):
        if lacking := unconnected(service, known.glob):
            yield Mistake((*path, kind), lacking)


def _services(target: dict[str, Any], known: _Known) -> list[str]:
    """What a target may be told by: of a team's, all that any team has there; on call may be any user."""
    match target.get("team"):
        case "slack" | "email" as service:
            return [service]
        case "lead" | "manager" as way:
            return known.ways[way]
        case "on_call":
            return _all(list(known.users.values()))
    if target.get("schedule"):
        return _all(list(known.users.values()))
    user = target.get("user")
    return known.users.get(user, []) if isinstance(user, str) else []


def unconnected(service: str, glob: dict[str, Any]) -> str:
    """What `global` must have so that teams and users can be told by a service."""
    if service == "slack" and not (glob.get("slack_app_token") or glob.get("slack_app_token_file")):
        why = "; an incoming webhook posts into its own channel only" if glob.get("slack_api_url") else ""
        return f"this is told by Slack, with no token for it; expected slack_app_token in global{why}"
    if service == "email" and not glob.get("smtp_smarthost"):
        return "this is told by mail, with no mail server; expected smtp_smarthost, HOST:PORT, in global"
    if service == "email" and not glob.get("smtp_from"):
        return "this is told by mail, with no sender; expected smtp_from in global"
    return ""
