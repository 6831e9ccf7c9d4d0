"""The configuration that a command simulates with: what is wrong with it ends it with exit code 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.problems import ConfigError
from gateway.cli import output as out
from gateway.cli.errors import UsageError
from gateway.simulation.planned import planned

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.simulation.planned import Planned

SHOWN = 20


def configured(file: Path, since: int, until: int) -> Planned:
    """The plan of a file, with its calendars from `since` to `until` (ms); what cannot count is told.

    Raises:
        UsageError: with all that is wrong with the file.
    """
    try:
        found = planned(file, since, until)
    except ConfigError as error:
        raise refused(str(file), error) from None
    for note in found.notes:
        out.say(note)
    return found


def refused(name: str, error: ConfigError) -> UsageError:
    """The end of a command because of what stands in the files `name`."""
    count = len(error.problems)
    shown = "\n".join(map(str, error.problems[:SHOWN]))
    return UsageError(f"{name} has {count} problem{'s' * (count > 1)}", shown)
