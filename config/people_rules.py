"""Rules about severities, teams, users and policies: who names whom, and whether they can be reached.

They look at the document as written, as `rules.py` does. All of them are Tocsin's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.people import ANY_SEVERITY
from config.problems import did_you_mean
from config.values import parse_duration
from config.written import Mistake, at_most_one, entries, mapping, names, texts, unique, unknown
from routing.severity import MOST, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.problems import Path

_KINDS: Final = ("receiver", "team", "user")


class _Known(NamedTuple):
    """What can be named in these sections.

    Attributes:
        users: name -> the services that tell the user.
        ways: how a team can be told by a person -> the services that some team's needs.
        glob: the section `global`.
    """

    severities: list[str]
    receivers: frozenset[str]
    teams: frozenset[str]
    users: Mapping[str, list[str]]
    policies: frozenset[str]
    ways: Mapping[str, list[str]]
    glob: dict[str, Any]


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """All that is wrong between the keys of these sections."""
    users = {str(user.get("name")): _reached_by(user) for _, user in entries(data, "users")}
    known = _Known(
        severities=_severity_names(data),
        receivers=names(data, "receivers"),
        teams=names(data, "teams"),
        users=users,
        policies=names(data, "escalation_policies"),
        ways={way: _reached_through(way, data, users) for way in ("lead", "manager")},
        glob=mapping(data.get("global")),
    )
    yield from _severities(data.get("severities"))
    yield from _teams(data, known)
    yield from _users(data)
    yield from _policies(data, known)


# --- severities ----------------------------------------------------------------------------------------


def _severities(section: Any) -> Iterator[Mistake]:
    path: Path = ("severities",)
    if isinstance(section, list):
        section = {"names": section}
    elif isinstance(section, dict):
        path = ("severities", "names")
    else:
        return
    known: list[str] = []
    for at, name in enumerate(section["names"] if isinstance(section.get("names"), list) else ()):
        if not isinstance(name, str):
            continue
        if name.lower() in known:
            message = f"the severity {name!r} stands here twice (capitals do not count); expected it once"
            yield Mistake((*path, at), message)
        known.append(name.lower())
    if len(known) > MOST:
        message = f"{len(known)} severities; expected at most {MOST}, and other words for them in aliases"
        yield Mistake((*path, MOST), message)
    for word, name in mapping(section.get("aliases")).items():
        here: Path = ("severities", "aliases", word)
        if word.lower() in known:
            yield Mistake(here, f"{word!r} is a severity itself; expected another word", key=True)
        yield from _severity(here, name, known)
    yield from _severity(("severities", "default"), section.get("default"), known)


def _severity(path: Path, name: Any, known: list[str]) -> Iterator[Mistake]:
    if isinstance(name, str) and name and name.lower() not in known:
        message = f"there is no severity {name!r}; expected the name of one in severities"
        yield Mistake(path, message + did_you_mean(name.lower(), known))


def _severity_names(data: dict[str, Any]) -> list[str]:
    section = data.get("severities")
    found = {"names": section} if isinstance(section, list) else mapping(section)
    return [name.lower() for name in texts(found, "names")] or list(NAMES)


# --- teams and users -----------------------------------------------------------------------------------


def _teams(data: dict[str, Any], known: _Known) -> Iterator[Mistake]:
    yield from unique(data, "team", "teams")
    for path, team in _all_teams(data):
        for way in ("lead", "manager"):
            yield from _person((*path, way), team.get(way), known)
        for key in ("slack_channel", "pagerduty", "pagerduty_file"):
            for severity in mapping(team.get(key)):
                if severity.lower() not in (*known.severities, ANY_SEVERITY):
                    usual = f"one of {', '.join(NAMES)}"
                    expected = "the name of one in severities" if data.get("severities") else usual
                    hint = did_you_mean(severity.lower(), known.severities)
                    message = (
                        f"there is no severity {severity!r}; expected {expected}, or {ANY_SEVERITY}{hint}"
                    )
                    yield Mistake((*path, key, severity), message, key=True)
    for at, rule in entries(data, "team_rules"):
        yield from unknown(("team_rules", at, "team"), rule.get("team"), "team", known.teams, "teams")


def _all_teams(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The teams and what stands in for what they lack."""
    yield ("team_defaults",), mapping(data.get("team_defaults"))
    for at, team in entries(data, "teams"):
        yield ("teams", at), team


def _person(path: Path, name: Any, known: _Known) -> Iterator[Mistake]:
    if isinstance(name, str) and name and "@" not in name and name not in known.users:
        message = f"there is no user {name!r}; expected the name of one in users, or an address with @"
        yield Mistake(path, message + did_you_mean(name, known.users))


def _users(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from unique(data, "user", "users")
    for at, user in entries(data, "users"):
        if not _reached_by(user):
            message = "nobody can tell this user anything; expected email, slack_id or pagerduty"
            yield Mistake(("users", at), message)


def _reached_by(user: dict[str, Any]) -> list[str]:
    """The services that tell a user."""
    services = {
        "email": "email",
        "slack_id": "slack",
        "pagerduty": "pagerduty",
        "pagerduty_file": "pagerduty",
    }
    return [service for key, service in services.items() if user.get(key)]


def _reached_through(way: str, data: dict[str, Any], users: Mapping[str, list[str]]) -> list[str]:
    """The services that tell the leads, or managers, of all teams."""
    people = [str(team.get(way) or "") for _, team in _all_teams(data)]
    services = [["email"] if "@" in name else users.get(name, []) for name in people]
    return list(dict.fromkeys(service for some in services for service in some))


# --- policies ------------------------------------------------------------------------------------------


def _policies(data: dict[str, Any], known: _Known) -> Iterator[Mistake]:
    yield from unique(data, "policy", "escalation_policies")
    for at, policy in entries(data, "escalation_policies"):
        before = 0
        for position, step in entries(policy, "steps"):
            path: Path = ("escalation_policies", at, "steps", position)
            yield from _step(path, step, known, str(policy.get("name")))
            yield from _when(path, step, before)
            before = max(before, _after(step) or 0)


def _step(path: Path, step: dict[str, Any], known: _Known, policy: str) -> Iterator[Mistake]:
    yield from at_most_one(path, step, ("notify", "policy"))
    if path[-1] == 0 and step.get("policy"):
        message = "the first step hands over before anybody is told; expected notify"
        yield Mistake((*path, "policy"), message, key=True)
    elif not step.get("notify") and not step.get("policy"):
        yield Mistake(path, "this step tells nobody; expected notify, such as notify: [{team: slack}]")
    if step.get("policy") == policy:
        yield Mistake((*path, "policy"), "the policy hands over to itself; expected another one")
    where = "escalation_policies"
    yield from unknown((*path, "policy"), step.get("policy"), "policy", known.policies, where)
    for at, target in entries(step, "notify"):
        yield from _target((*path, "notify", at), target, known)


def _after(step: dict[str, Any]) -> int | None:
    try:
        return parse_duration(step["after"]) if step.get("after") else 0
    except Exception:  # noqa: BLE001 - the schema says what is wrong with it
        return None


def _when(path: Path, step: dict[str, Any], before: int) -> Iterator[Mistake]:
    after = _after(step)
    if after is None:
        return
    if path[-1] == 0:
        if after:
            message = "the first step is due at once; expected no after, or a longer group_wait on the route"
            yield Mistake((*path, "after"), message, key=True)
    elif not after:
        yield Mistake(path, "this step has no time; expected after, since the first step, such as after: 15m")
    elif after < before:
        message = "this step comes before the one above it; expected after, since the first step, to grow"
        yield Mistake((*path, "after"), message)


def _target(path: Path, target: dict[str, Any], known: _Known) -> Iterator[Mistake]:
    yield from at_most_one(path, target, _KINDS)
    if not any(target.get(kind) for kind in _KINDS):
        yield Mistake(path, f"this target is nobody; expected one of {', '.join(_KINDS)}")
    yield from unknown((*path, "receiver"), target.get("receiver"), "receiver", known.receivers, "receivers")
    yield from unknown((*path, "user"), target.get("user"), "user", known.users, "users")
    kind = "team" if target.get("team") else "user"
    for service in _services(target, known):
        if lacking := _lacking(service, known.glob):
            yield Mistake((*path, kind), lacking)


def _services(target: dict[str, Any], known: _Known) -> list[str]:
    """What a target may be told by: of a team's, all that any team has there."""
    match target.get("team"):
        case "slack" | "email" as service:
            return [service]
        case "lead" | "manager" as way:
            return known.ways[way]
    user = target.get("user")
    return known.users.get(user, []) if isinstance(user, str) else []


def _lacking(service: str, glob: dict[str, Any]) -> str:
    """What `global` must have so that teams and users can be told by a service."""
    if service == "slack" and not (glob.get("slack_app_token") or glob.get("slack_app_token_file")):
        why = "; an incoming webhook posts into its own channel only" if glob.get("slack_api_url") else ""
        return f"this is told by Slack, with no token for it; expected slack_app_token in global{why}"
    if service == "email" and not glob.get("smtp_smarthost"):
        return "this is told by mail, with no mail server; expected smtp_smarthost, HOST:PORT, in global"
    if service == "email" and not glob.get("smtp_from"):
        return "this is told by mail, with no sender; expected smtp_from in global"
    return ""
