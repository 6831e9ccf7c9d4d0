"""Whose an alert is: the team in its label, else its route's, else that of the first rule that fits.

It knows the names of teams only; how a team is reached says the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from routing.matchers import matches_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.matchers import Matcher

LABEL: Final = "team"


@dataclass(frozen=True, slots=True)
class TeamRule:
    """Alerts that meet all matchers are the team's."""

    matchers: tuple[Matcher, ...]
    team: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which teams there are, and which rules, in order, give them alerts."""

    names: frozenset[str] = frozenset()
    rules: tuple[TeamRule, ...] = ()

    def team_of(self, labels: Mapping[str, str], of_route: str = "") -> str:
        """The name of a team that there is, "" for none. A label that names none of them does not count."""
        if (said := labels.get(LABEL, "")) in self.names:
            return said
        if of_route in self.names:
            return of_route
        return next((rule.team for rule in self.rules if matches_all(rule.matchers, labels)), "")
