"""How bad an alert is: a rank, 0 for the worst, taken from a label of it.

Ranks order deliveries when a target is short of room, and name the worst alert of an incident. What the
severities are is the configuration's (`severities:`); without it they are the ones here, with the words that
others use for them. A value that nobody knows is the severity in the middle, if no other is said to be: it is
neither the last to be sent nor ahead of a critical page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Grade = Literal["critical", "error", "warning", "info"]

LABEL: Final = "severity"
NAMES: Final = ("critical", "high", "medium", "low", "info")
ALIASES: Final[Mapping[str, str]] = {
    "emergency": "critical", "fatal": "critical", "page": "critical", "disaster": "critical",
    "error": "high", "major": "high",
    "warning": "medium", "minor": "medium",
    "notice": "low",
    "none": "info", "debug": "info",
}  # fmt: skip
MOST: Final = 8  # severities at most

_GRADES: Final[tuple[Grade, ...]] = ("critical", "error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Severities:
    """The severities that alerts have. Words count whether they are written in capitals or not.

    Attributes:
        label: the label that says it.
        names: worst first, in lower case, at least one and at most `MOST`.
        aliases: other words, in lower case -> the name that each stands for.
        default: the name that counts where the label is missing or says what nobody knows; "": the one in
            the middle.
    """

    label: str = LABEL
    names: tuple[str, ...] = NAMES
    aliases: Mapping[str, str] = field(default_factory=lambda: ALIASES)
    default: str = ""
    _ranks: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _unknown: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranks = {name: rank for rank, name in enumerate(self.names)}
        unknown = ranks[self.default] if self.default else len(self.names) // 2
        object.__setattr__(self, "_ranks", {word: ranks[name] for word, name in self.aliases.items()} | ranks)
        object.__setattr__(self, "_unknown", unknown)

    def rank(self, labels: Mapping[str, str]) -> int:
        """0 for the worst."""
        return self._ranks.get(labels.get(self.label, "").lower(), self._unknown)

    def name(self, rank: int) -> str:
        """The severity of a rank; of one that there is no more, after a change, the mildest."""
        return self.names[min(rank, len(self.names) - 1)]

    def known(self, labels: Mapping[str, str]) -> bool:
        """Whether the label says one of the names or other words for them."""
        return labels.get(self.label, "").lower() in self._ranks

    def grade(self, word: str) -> Grade:
        """A severity as an alert says it, in the four words that PagerDuty has; colours follow them too.

        One of those words means itself, and so does what usually stands for it; other names follow their
        position: the worst is critical, the second an error, the third a warning, all below info. What
        nobody knows is an error if no default is set, since somebody wanted it told.
        """
        rank = self._ranks.get(word.lower())
        if rank is None:
            if not self.default:
                return "error"
            rank = self._unknown
        name = self.names[rank]
        if name in _GRADES:
            return name
        usual = NAMES.index(name) if name in NAMES else rank
        return _GRADES[min(usual, len(_GRADES) - 1)]


USUAL: Final = Severities()
