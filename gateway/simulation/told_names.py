"""How a test names whom it expects to be told: `pagerduty`, `user:dana`, `slack:#backend`.

A bare name is a receiver's, told by any of its ways. Which names there can be at all says a configuration, so
that a name which is written wrongly does not make `expect_not` true for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from config.integrations import EmailConfig, SlackConfig
from config.problems import did_you_mean
from gateway.simulation.test_file import Name, NameKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from config.compile import Integration, Plan
    from gateway.simulation.test_file import Spot
    from routing.story import Notification

_KINDS: Final[tuple[NameKind, ...]] = get_args(NameKind)
_EXPECTED: Final = (
    "expected a receiver's name, or one such as user:dana, team:db, slack:#db, mail:db@example.com, "
    "pagerduty:NAME, webhook:NAME"
)


def read(written: str, spot: Spot) -> Name:
    """A name as it is written.

    Raises:
        ValueError: it is none; says what was expected.
    """
    kind, colon, name = written.partition(":")
    if not colon:
        return Name(written, "receiver", written, spot)
    if not name:
        raise ValueError(f"{written!r} names nobody; {_EXPECTED}")
    for known in _KINDS:
        if known == kind:
            return Name(written, known, name, spot)
    if kind == "email":
        raise ValueError(f"{written!r} is no name of who is told; did you mean {'mail:' + name!r}?")
    # The name of a receiver may contain a colon.
    return Name(written, "receiver", written, spot)


def called(one: Notification) -> str:
    """The name by which a test would call whom a notification tells."""
    if one.target_kind == "receiver":
        return one.target
    if one.target_kind == "user":
        return f"user:{one.target}"
    match one.by:
        case "slack" if one.where:
            return f"slack:{one.where}"
        case "email" if "," not in one.where:
            return f"mail:{one.where}"
        case _:
            return f"team:{one.target}"


def is_told(name: Name, by: Notification) -> bool:
    """Whether a notification tells whom the name means."""
    return _TELLS[name.kind](name.name, by)


_TELLS: Final[Mapping[NameKind, Callable[[str, Notification], bool]]] = {
    "receiver": lambda name, one: one.target_kind == "receiver" and one.target == name,
    "user": lambda name, one: one.target_kind == "user" and one.target == name,
    "team": lambda name, one: one.target_kind == "team" and one.target == name,
    "slack": lambda name, one: one.by == "slack" and _channel(one.where) == _channel(name),
    "mail": lambda name, one: one.by == "email" and name.lower() in _addresses(one.where),
    "webhook": lambda name, one: one.by == "webhook" and one.target == name,
    "pagerduty": lambda name, one: one.by == "pagerduty" and one.target == name,
}


def _channel(text: str) -> str:
    """A channel may be written with and without #; so may a person, who is told in a channel of their own."""
    return text.removeprefix("#")


def _addresses(text: str) -> list[str]:
    """The addresses of a list such as `Ops <ops@example.com>, dana@example.com`, in small letters."""
    return [part.rpartition("<")[2].rstrip("> ").strip() for part in text.lower().split(",")]


class Known:
    """The names that a configuration has."""

    def __init__(self, plan: Plan) -> None:
        directory = plan.directory
        everybody = [*plan.receivers, *directory.users, *directory.teams]
        self._names: Mapping[NameKind, frozenset[str]] = {
            "receiver": frozenset(plan.receivers),
            "user": frozenset(directory.users),
            "team": frozenset(directory.teams),
            "slack": frozenset(_channels(plan)),
            "mail": frozenset(address for text in _mails(plan) for address in _addresses(text)),
            "webhook": frozenset(everybody),
            "pagerduty": frozenset(everybody),
        }
        self._any_channel = any("{{" in channel or "{%" in channel for channel in self._names["slack"])
        self._any_mail = any("{{" in text or "{%" in text for text in self._names["mail"])

    def trouble(self, name: Name) -> str:
        """Why nobody can ever be told by this name, "" if somebody may be."""
        known = self._names[name.kind]
        wanted = name.name.lower() if name.kind == "mail" else name.name
        if wanted in known:
            return ""
        if name.kind == "slack" and (self._any_channel or _channel(wanted) in map(_channel, known)):
            return ""
        if name.kind == "mail" and self._any_mail:
            return ""
        what = {"slack": "channel", "mail": "address"}.get(name.kind, name.kind)
        if name.kind in ("webhook", "pagerduty"):
            what = "receiver, user or team"
        elsewhere = self._elsewhere(name)
        hint = f"; did you mean {elsewhere!r}?" if elsewhere else did_you_mean(wanted, sorted(known))
        return f"the configuration has no {what} {name.name!r}{hint or '; ' + _EXPECTED}"

    def _elsewhere(self, name: Name) -> str:
        """The same word as another kind of name, where a bare one is no receiver's."""
        if name.kind != "receiver":
            return ""
        bare = name.name
        candidates = {"user": bare, "team": bare, "slack": bare, "mail": bare.lower()}
        for kind in ("user", "team", "slack", "mail"):
            if candidates[kind] in self._names[kind]:
                return f"{kind}:{bare}"
        return ""


def _integrations(plan: Plan) -> Iterator[Integration]:
    for integrations in plan.receivers.values():
        yield from integrations


def _channels(plan: Plan) -> Iterator[str]:
    for one in _integrations(plan):
        if isinstance(one.config, SlackConfig):
            yield one.config.channel
    for team in (*plan.directory.teams.values(), plan.directory.defaults):
        for channels in team.slack_channel.values():
            yield from channels
    yield from (user.slack_id for user in plan.directory.users.values() if user.slack_id)


def _mails(plan: Plan) -> Iterator[str]:
    for one in _integrations(plan):
        if isinstance(one.config, EmailConfig):
            yield one.config.to
    for team in (*plan.directory.teams.values(), plan.directory.defaults):
        yield from (text for text in (team.email, team.lead, team.manager) if "@" in text)
    yield from (user.email for user in plan.directory.users.values() if user.email)
