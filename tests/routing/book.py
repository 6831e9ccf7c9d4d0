"""A book for tests of decisions: policies by name, and who is on call as a table says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from routing.clocks import Reached, Way
from routing.policies import Policy, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routing.incident_records import Incident

NAMES = ("critical", "high", "medium", "low")


@dataclass
class Book:
    """Everybody is reached at a place that is called as they are, but for those in `nobody`.

    `on_call`: schedule -> user; one that is missing has nobody on call until `covered_at`. `delays`: user ->
    delays of their ways.
    """

    policies: Mapping[str, Policy] = field(default_factory=dict)
    nobody: tuple[str, ...] = ()
    on_call: Mapping[str, str] = field(default_factory=dict)
    covered_at: int = 0
    delays: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def policy(self, name: str) -> Policy | None:
        return self.policies.get(name)

    def reach(self, targets: Iterable[Target], incident: Incident, at: int) -> Reached:
        del incident, at
        ways: list[Way] = []
        uncovered: list[str] = []
        for target in targets:
            if target.kind == "schedule":
                if target.name not in self.on_call:
                    uncovered.append(target.name)
                    continue
                target = Target("user", self.on_call[target.name])  # noqa: PLW2901 - that is who it is
            if str(target) in self.nobody:
                continue
            for number, delay in enumerate(self.delays.get(target.name, (0,))):
                place = f"{target}{'' if number == 0 else f' by way {number + 1}'}"
                ways.append(Way(place, place, target, delay))
        return Reached(tuple(ways), tuple(uncovered), self.covered_at if uncovered else 0)

    def last_resort(self, incident: Incident, at: int) -> Reached:
        return self.reach((Target("receiver", "root"),), incident, at)

    def severity(self, name: str) -> int:
        return NAMES.index(name)
