"""What a simulation asks of whoever knows the configuration: plans, people, and what receivers answer.

Only protocols, which the service's own `gateway/placing.py` and `gateway/book.py` meet. Times are
milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from routing.answering import Names
from routing.deciding import Addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from routing.alerts import Dedup
    from routing.calendar import Quiet
    from routing.clocks import Book
    from routing.delivery import Failed, Kind, Rejected, Told
    from routing.inhibition import Rules
    from routing.severity import Severities
    from routing.stored import Begun
    from routing.story import Reached, TargetKind


class Place(Protocol):
    """A group that an alert belongs to; `meta` is what it keeps of the plan (JSON of a `GroupMeta`)."""

    @property
    def gid(self) -> str: ...
    @property
    def meta(self) -> str: ...


class Placed(Protocol):
    """What the plan says of an alert.

    `patience`: for how long a rule could inhibit it yet; `slots`: where it is a source, "" for nowhere.
    """

    @property
    def places(self) -> tuple[Place, ...]: ...
    @property
    def rank(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def slots(self) -> str: ...


class Plan(Protocol):
    """What is asked of a compiled configuration."""

    @property
    def digest(self) -> str: ...
    @property
    def inhibition(self) -> Rules: ...
    @property
    def inhibit_release(self) -> int: ...
    @property
    def severities(self) -> Severities: ...


class Placing(Protocol):
    """What a plan says of each alert."""

    @property
    def plan(self) -> Plan: ...
    def placed(self, key: str, labels: Mapping[str, str]) -> Placed: ...
    def quiet(self, route_key: str, at: int) -> Quiet | None: ...
    def muted(self, labels: Mapping[str, str], at: int) -> bool: ...
    def quiet_until(self, at: int) -> int: ...
    def beats(self, key: str, labels: Mapping[str, str]) -> tuple[str, ...]: ...


class TownBook(Names, Addresses, Protocol):
    """What decisions are made by, which also knows the places that it has reached."""


class Town(Protocol):
    """Everything that a simulation is told of the world outside. `shows`: messages are asked for."""

    shows: bool

    def placing(self, plan: Any, generation: str, aliases: Mapping[str, str]) -> Placing:
        """What a plan says of each alert; `aliases`: groups that go on as others since a change."""
        ...

    def dedup(self, plan: Any) -> Dedup:
        """The plan's durations of `dedup:`."""
        ...

    def book(self, placing: Any, now: int, reached: Reached) -> TownBook:
        """What decisions are made by at this moment; writes down who was asked for on call."""
        ...

    def send(
        self, what: Kind, did: str, begun: Begun, placing: Any, book: Callable[[], Book]
    ) -> tuple[Told | Failed | Rejected, str]:
        """Hands a message over: what its receiver answers, and the text that it shows ("" for unasked)."""
        ...

    def target(self, fields: Mapping[str, Any]) -> tuple[TargetKind, str]:
        """Whom a delivery tells: what kind of target, and its bare name."""
        ...
