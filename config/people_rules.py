"""Rules about severities, teams and users: who names whom, and whether they can be reached.

They look at the document as written, as `rules.py` does. All of them are Tocsin's own. Policies are in
`policy_rules.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.people import ANY_SEVERITY
from config.problems import did_you_mean
from config.written import Mistake, children, entries, mapping, names, texts, unique, unknown
from routing.severity import MOST, NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from config.problems import Path

_CONTACT_KEYS: Final[Mapping[str, tuple[str, ...]]] = {  # way of telling a person -> the keys that give it
    "slack": ("slack_id",),
    "email": ("email",),
    "pagerduty": ("pagerduty", "pagerduty_file"),
    "webhook": ("webhook",),
}


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """All that is wrong between the keys of these sections."""
    yield from _severities(data.get("severities"))
    yield from _teams(data)
    yield from _users(data)


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


def severity_names(data: dict[str, Any]) -> list[str]:
    section = data.get("severities")
    found = {"names": section} if isinstance(section, list) else mapping(section)
    return [name.lower() for name in texts(found, "names")] or list(NAMES)


def _by_severity(path: Path, values: Any, data: dict[str, Any]) -> Iterator[Mistake]:
    """Keys of a mapping that are no severities."""
    known = severity_names(data)
    for severity in mapping(values):
        if severity.lower() not in (*known, ANY_SEVERITY):
            usual = f"one of {', '.join(NAMES)}"
            expected = "the name of one in severities" if data.get("severities") else usual
            hint = did_you_mean(severity.lower(), known)
            message = f"there is no severity {severity!r}; expected {expected}, or {ANY_SEVERITY}{hint}"
            yield Mistake((*path, severity), message, key=True)


# --- teams and users -----------------------------------------------------------------------------------


def _teams(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from unique(data, "team", "teams")
    users, schedules = names(data, "users"), names(data, "schedules")
    for path, team in all_teams(data):
        for way in ("lead", "manager"):
            yield from _person((*path, way), team.get(way), users)
        where = "schedules"
        yield from unknown((*path, "on_call"), team.get("on_call"), "schedule", schedules, where)
        for key in ("slack_channel", "pagerduty", "pagerduty_file"):
            yield from _by_severity((*path, key), team.get(key), data)
    known = names(data, "teams")
    for at, rule in entries(data, "team_rules"):
        yield from unknown(("team_rules", at, "team"), rule.get("team"), "team", known, "teams")


def all_teams(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The teams and what stands in for what they lack."""
    yield ("team_defaults",), mapping(data.get("team_defaults"))
    for at, team in entries(data, "teams"):
        yield ("teams", at), team


def _person(path: Path, name: Any, users: Collection[str]) -> Iterator[Mistake]:
    if isinstance(name, str) and name and "@" not in name and name not in users:
        message = f"there is no user {name!r}; expected the name of one in users, or an address with @"
        yield Mistake(path, message + did_you_mean(name, sorted(users)))


def _users(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from unique(data, "user", "users")
    for at, user in entries(data, "users"):
        path: Path = ("users", at)
        if not _has(user):
            message = "nobody can tell this user anything; expected email, slack_id, pagerduty or webhook"
            yield Mistake(path, message)
        yield from _by_severity((*path, "contact"), user.get("contact"), data)
        for here, way in _contacts((*path, "contact"), user.get("contact")):
            if way in _CONTACT_KEYS and way not in _has(user):
                message = f"this user has no {way}; expected {' or '.join(_CONTACT_KEYS[way])} beside contact"
                yield Mistake(here, message)


def reached_by(user: dict[str, Any]) -> list[str]:
    """The services that may tell a user: those of their contact rules, where these are for all severities."""
    contact = user.get("contact")
    if isinstance(contact, list) or ANY_SEVERITY in mapping(contact):
        return list(dict.fromkeys(way for _, way in _contacts((), contact)))
    return _has(user)


def _has(user: dict[str, Any]) -> list[str]:
    """The services by which a user could be told."""
    return [way for way, keys in _CONTACT_KEYS.items() if any(user.get(key) for key in keys)]


def _contacts(path: Path, contact: Any) -> Iterator[tuple[Path, str]]:
    """Each way in contact rules, and where it stands; one with a delay is a mapping of one key."""
    if not isinstance(contact, list):
        for severity, ways in mapping(contact).items():
            if isinstance(ways, list):
                yield from _contacts((*path, severity), ways)
        return
    for at, item in children(contact):
        if isinstance(item, str):
            yield (*path, at), item
        for way in mapping(item):
            yield (*path, at), way
