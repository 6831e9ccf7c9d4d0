"""The alerts of a simulation, as labels or files give them: what all the kinds of files have in common.

Each kind has a module of its own: webhook bodies `bodies.py`, lines of JSON `alert_lines.py`, Prometheus'
rules `rule_alerts.py`. Recorded alerts are read by `replay.py`, in memory that does not grow with them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.simulation.times import EARLIEST, LATEST
from routing.alerts import Arrival, InvalidAlertError, alert_key
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILE: Final = 64 * 1024 * 1024
"""Bytes of one file that is read as a whole."""


MAX_RECORDED: Final = 100_000
"""Recorded alerts of one story."""


class GivenError(ValueError):
    """What was given cannot be simulated. The text says where, what was expected and what came.

    `hint` says what to do, "" where the text does.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Given:
    """What arrives, in the order of time.

    Attributes:
        began: the first firing or, where nothing fires, the first arrival; answers count from it. ms.
        notes: sentences about what of it people should know.
    """

    began: int
    arrived: tuple[Arrived, ...]
    notes: tuple[str, ...] = ()


def gathered(arrived: list[Arrived], notes: tuple[str, ...] = ()) -> Given:
    """What arrives, put in order.

    Raises:
        GivenError: its times are too far away to be counted with.
    """
    ordered = sorted(arrived, key=attrgetter("at"))
    if not (ordered[0].at >= EARLIEST and ordered[-1].at < LATEST):
        raise GivenError("it begins or ends too far away; expected times in the years 1971 to 9998")
    return Given(ordered[0].at, tuple(ordered), notes)


def together(arrived: list[Arrived]) -> list[Arrived]:
    """Alerts that begin or end together as one body, and all of it in order."""
    ordered = sorted(arrived, key=attrgetter("at", "stays"))
    return [
        Arrived(at, tuple(copy for one in some for copy in one.arrivals), stays)
        for (at, stays), some in groupby(ordered, key=attrgetter("at", "stays"))
    ]


def one_alert(
    labels: Mapping[str, str], at: int, fires: int | None, annotations: Mapping[str, str] | None = None
) -> list[Arrived]:
    """An alert that begins to fire at `at`, and stops `fires` (ms) later; None: it never does.

    Raises:
        GivenError: no alert can have these labels.
    """
    labels = {name: value for name, value in labels.items() if value}
    try:
        key = alert_key(labels)
    except InvalidAlertError as error:
        raise GivenError(str(error)) from None
    noted = dict(annotations or {})
    begins = Arrived(at, (Arrival(key, labels, noted, "firing", at, None, None, ""),), stays=True)
    if fires is None:
        return [begins]
    end = at + fires
    return [begins, Arrived(end, (Arrival(key, labels, noted, "resolved", at, end, None, ""),))]


def recorded(file: Path) -> Given:
    """Recorded alerts as they were, all of them at once.

    Raises:
        GivenError: it is no recording, or holds too many alerts for one story.
    """
    from gateway.simulation.replay import ReplayError, happenings  # noqa: PLC0415 - few read recordings

    arrived: list[Arrived] = []
    copies = 0
    try:
        for one in happenings(file):
            if isinstance(one, Arrived):
                arrived.append(one)
                copies += len(one.arrivals)
            if copies > MAX_RECORDED:
                raise GivenError(
                    f"{file} holds more than {MAX_RECORDED:,} alerts, too many for one story",
                    "Without --timeline they are summed up.",
                )
    except ReplayError as error:
        raise GivenError(str(error)) from None
    return gathered(arrived)


def contents(file: str) -> bytes:
    """The bytes of a file; `-` is what comes on stdin.

    Raises:
        GivenError: it cannot be read, is empty or too large.
    """
    name = shown(file)
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise GivenError(f"{name} cannot be read: {reason}") from None
    if len(data) > MAX_FILE:
        raise GivenError(f"{name} is larger than {MAX_FILE >> 20} MiB; expected fewer alerts at once")
    if not data.strip():
        raise GivenError(f"{name} is empty; expected alerts in it")
    return data


def shown(file: str) -> str:
    """How a file is called in messages."""
    return "stdin" if file == "-" else file
