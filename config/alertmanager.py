"""The alertmanager.yml of an Alertmanager in front of Tocsin: what of it decides which alerts come through.

It is read tolerantly: receivers of any kind, Go templates and keys of newer versions are passed over, since
`amtool check-config` judges them. Only routes, timers, intervals, inhibition and webhooks are looked at.
What is bad about them says `config/findings/front.py`.

Rules: as in `compile.py`, Alertmanager's `dispatch/route.go` and configuration page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from config.compile import DEFAULT_GROUP_INTERVAL, DEFAULT_GROUP_WAIT, DEFAULT_REPEAT_INTERVAL
from config.files import text_of
from config.problems import ConfigError, Path, Problem
from config.source import read
from config.values import parse_duration
from routing.matchers import Matcher, MatcherError, parse_matchers

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from config.document import Document

TIMERS: Final = {
    "group_wait": DEFAULT_GROUP_WAIT,
    "group_interval": DEFAULT_GROUP_INTERVAL,
    "repeat_interval": DEFAULT_REPEAT_INTERVAL,
}
TRUE: Final = frozenset({"true", "yes", "on", "y", "t", "1"})


@dataclass(frozen=True, slots=True)
class Timer:
    """One of `TIMERS`: milliseconds, as written, and where; `path` is None for Alertmanager's default."""

    value: int
    path: Path | None


@dataclass(frozen=True, eq=False)
class FrontRoute:
    """A route with what it inherits filled in. `matchers` are its own."""

    path: Path
    receiver: str
    matchers: tuple[Matcher, ...]
    continue_: bool
    timers: Mapping[str, Timer]
    parent: FrontRoute | None
    children: list[FrontRoute] = field(default_factory=list)

    def lineage(self) -> tuple[FrontRoute, ...]:
        """The route and those above it, the root first."""
        return (*(self.parent.lineage() if self.parent else ()), self)

    def walk(self) -> Iterator[FrontRoute]:
        """This route and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Webhook:
    """One of a receiver's `webhook_configs`; `keys` is what is written there."""

    receiver: str
    path: Path
    keys: Mapping[str, Any]

    def address(self) -> tuple[str, str]:
        """(host:port, path) of its url; both "" if it is not there or cannot be read."""
        try:
            parts = urlsplit(str(self.keys.get("url") or ""))
            port = parts.port or {"https": 443}.get(parts.scheme, 80)
        except ValueError:
            return "", ""
        return (f"{parts.hostname}:{port}" if parts.hostname else "", parts.path)


@dataclass(frozen=True, slots=True)
class Front:
    """An Alertmanager in front.

    Attributes:
        named: the receivers that the user says lead to Tocsin; empty if nobody said.
    """

    document: Document
    root: FrontRoute
    webhooks: tuple[Webhook, ...]
    receivers: frozenset[str]
    named: tuple[str, ...] = ()


def load_front(file: str | os.PathLike[str], named: tuple[str, ...] = ()) -> Front:
    """The Alertmanager that a file configures.

    Raises:
        ConfigError: with what prevents the reading.
    """
    path = FilePath(file)
    return read_front(text_of(path, "an alertmanager.yml"), str(path), named)


def read_front(text: str, file: str, named: tuple[str, ...] = ()) -> Front:
    """As `load_front`, of a text.

    Raises:
        ConfigError: with what prevents the reading.
    """
    document = read(text, file, None)
    reader = _Reader(document)
    front = reader.front(named)
    if reader.problems or front is None:
        raise ConfigError(reader.problems)
    return front


class _Reader:
    """Walks the document and collects what prevents the reading."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def front(self, named: tuple[str, ...]) -> Front | None:
        data = self.document.root.plain()
        root = data.get("route") if isinstance(data, dict) else None
        if not isinstance(root, dict):
            self._report((), "no route; expected an alertmanager.yml with route: and receivers:")
            return None
        timers = {name: Timer(value, None) for name, value in TIMERS.items()}
        receivers = [entry for entry in _list(data, "receivers") if isinstance(entry, dict)]
        return Front(
            document=self.document,
            root=self._route(("route",), root, None, "", timers),
            webhooks=tuple(_webhooks(data)),
            receivers=frozenset(str(receiver.get("name") or "") for receiver in receivers),
            named=named,
        )

    def _report(self, path: Path, message: str, offset: int = 0) -> None:
        self.problems.append(self.document.problem(path, message, offset=offset))

    def _route(
        self,
        path: Path,
        data: dict[str, Any],
        parent: FrontRoute | None,
        receiver: str,
        timers: Mapping[str, Timer],
    ) -> FrontRoute:
        own = {name: self._timer((*path, name), data[name]) for name in TIMERS if data.get(name)}
        route = FrontRoute(
            path=path,
            receiver=str(data.get("receiver") or receiver),
            matchers=tuple(self._matchers(path, data)),
            continue_=str(data.get("continue") or "").lower() in TRUE,
            timers={**timers, **own},
            parent=parent,
        )
        for at, child in enumerate(_list(data, "routes")):
            if isinstance(child, dict):
                below = (*path, "routes", at)
                route.children.append(self._route(below, child, route, route.receiver, route.timers))
        return route

    def _timer(self, path: Path, value: Any) -> Timer:
        try:
            return Timer(parse_duration(value), path)
        except ValueError:
            self._report(path, "this is no duration; expected one such as 30s, 5m or 1h30m")
            return Timer(TIMERS[str(path[-1])], path)

    def _matchers(self, path: Path, data: dict[str, Any]) -> Iterator[Matcher]:
        for key, operator in (("match", "="), ("match_re", "=~")):
            pairs = data.get(key)
            for name, value in pairs.items() if isinstance(pairs, dict) else ():
                yield from self._matcher((*path, key, name), name, operator, str(value or ""))
        for at, text in enumerate(_list(data, "matchers")):
            try:
                yield from parse_matchers(str(text or ""))
            except MatcherError as error:
                self._report((*path, "matchers", at), str(error), error.column - 1)

    def _matcher(self, path: Path, name: str, operator: Any, value: str) -> Iterator[Matcher]:
        try:
            yield Matcher(name, operator, value)
        except MatcherError as error:
            self._report(path, str(error))


def _webhooks(data: dict[str, Any]) -> Iterator[Webhook]:
    for at, receiver in enumerate(_list(data, "receivers")):
        for number, webhook in enumerate(_list(receiver, "webhook_configs")):
            if isinstance(webhook, dict):
                path: Path = ("receivers", at, "webhook_configs", number)
                yield Webhook(str(receiver.get("name") or ""), path, webhook)


def _list(data: Any, key: str) -> list[Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list) else []
