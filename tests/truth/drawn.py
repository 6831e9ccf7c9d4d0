"""A world by chance: configurations, what happens under them, which services are away. Only data, as JSON.

`to_text` and `from_text` keep it, so that a world that differs can be kept, made smaller and told again.
In a configuration the addresses of the stand-ins are words such as `{webhook}`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from config.load import load_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import Config


@dataclass
class Drawn:
    """All times are milliseconds: `began` since the epoch, the others since then.

    Attributes:
        config, later: the configuration, and those that `reload` names by their place.
        happens: what happens, in order; `do` says what: alerts, answer, silence, unsilence, reload.
        failures: `what` (a kind, a receiver, a user) does not take anything `since`, up to `until`; `how`:
            it may later or will never, or it is busy and asks to wait so many seconds.
        overrides: of schedules, known from the beginning.
        ends: nobody looks any more.
    """

    began: int
    config: dict[str, Any]
    later: list[dict[str, Any]] = field(default_factory=list)
    happens: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    ends: int = 0

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Drawn:
        return cls(**json.loads(text))


def written(config: Mapping[str, Any], addresses: Mapping[str, str]) -> str:
    """As a file; the loader reads JSON as the YAML that it is."""
    text = json.dumps(config)
    for word, address in addresses.items():
        text = text.replace(f"{{{word}}}", address)
    return text


def loaded(config: Mapping[str, Any], addresses: Mapping[str, str]) -> Config:
    return load_text(written(config, addresses), "tocsin.yaml", {})
