"""From Prometheus' own memory of its alerts, the series `ALERTS`, to what would have arrived.

Prometheus answers when an alert was firing, at steps; so each alert fires at its first step, ends one step
after its last, and is told again every four hours in between, as Alertmanager would. Those that still fire at
the end do not end. The series has no annotations, and not the labels that `external_labels` add on the way.

Source: Prometheus' HTTP API, range queries, and its documentation of alerting rules ("ALERTS").
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from gateway.simulation.replay import ReplayError, no_json
from routing.alerts import Arrival, InvalidAlertError, alert_key
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from routing.story import Happening

QUERY: Final = 'ALERTS{alertstate="firing"}'
STEP: Final = 60_000
SLICE: Final = 6 * 3_600_000
REPEAT: Final = 4 * 3_600_000
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of a file, which is read as a whole."""

_MOST_STEPS: Final = 10_000  # Prometheus refuses more than 11,000 at once
_OF_THE_SERIES: Final = ("__name__", "alertstate")


class TooMuchError(Exception):
    """Prometheus can only be asked about less time at once; the text is its reason."""


def from_file(path: Path, file: BinaryIO) -> Iterator[Happening]:
    """What happens by an answer to a range query of `QUERY` that was kept in `file`.

    Raises:
        ReplayError: it is no such answer.
    """
    text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ReplayError(
            f"{path}: has more than {MAX_BYTES // 1024**2} MiB; expected an answer about less time. "
            "`tocsin record --prometheus URL` asks for one part after the other"
        )
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        cut = "; the file seems to be cut off" if "unexpected end of data" in error.msg else ""
        raise ReplayError(f"{path}:{error.lineno}: {no_json(error)}{cut}") from None
    found = _matrix(document, str(path))
    if not found:
        raise ReplayError(f"{path}: holds no alert that fires; expected the answer to {QUERY}")
    gaps = [later - earlier for _, times in found for earlier, later in pairwise(times) if later > earlier]
    step = min(gaps, default=STEP)
    yield from _Firing(step).until(max(times[-1] for _, times in found) + step, found)


def from_prometheus(
    ask: Callable[[int, int, int], Any], since: int, until: int, step: int = STEP
) -> Iterator[Happening]:
    """What happens by what `ask(start, end, step)` answers about each part of the time (all ms).

    Raises:
        ReplayError: it answers something else.
        TooMuchError: it cannot even answer about ten steps at once.
    """
    firing = _Firing(step)
    most = longest = max(min(SLICE // step, _MOST_STEPS), 1)
    at = since
    while at < until:
        end = min(at + longest * step, until)
        try:
            document = ask(at, end - 1, step)
        except TooMuchError:
            if longest <= 10:
                raise
            longest = most = longest // 2
            continue
        yield from firing.until(end, _matrix(document, "Prometheus"))
        longest = min(longest * 2, most)
        at = end


class _Firing:
    """Which alerts fire, from one part of the time to the next."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._firing: dict[
            str, tuple[dict[str, str], int, int, int]
        ] = {}  # labels, since, last seen, last told

    def until(self, end: int, series: list[tuple[dict[str, str], list[int]]]) -> Iterator[Happening]:
        """What happens up to `end`, exclusive, in which these label sets were seen at these times."""
        found: dict[int, list[Arrival]] = {}
        for labels, times in series:
            key = alert_key(labels)
            for at in times:
                self._seen(key, labels, at, found)
        for key, (_, _, last, _) in list(self._firing.items()):
            if last + self._step < end:
                self._over(key, found)
        for at in sorted(found):
            yield Arrived(at, tuple(found[at]), stays=True)

    def _seen(self, key: str, labels: dict[str, str], at: int, found: dict[int, list[Arrival]]) -> None:
        known = self._firing.get(key)
        if known is not None and at - known[2] > self._step * 3 // 2:
            self._over(key, found)
            known = None
        _, since, _, told = known or (labels, at, at, at - REPEAT)
        if at - told >= REPEAT:
            told = at
            found.setdefault(at, []).append(Arrival(key, labels, {}, "firing", since, None, None, ""))
        self._firing[key] = (labels, since, at, told)

    def _over(self, key: str, found: dict[int, list[Arrival]]) -> None:
        labels, since, last, _ = self._firing.pop(key)
        end = last + self._step
        found.setdefault(end, []).append(Arrival(key, labels, {}, "resolved", since, end, None, ""))


def _matrix(document: Any, where: str) -> list[tuple[dict[str, str], list[int]]]:
    """The label sets that fire, each with the times at which it does (ms), in order."""
    if isinstance(document, dict) and document.get("status") == "error":
        raise ReplayError(f"{where}: is an error of Prometheus: {str(document.get('error'))[:200]}")
    try:
        data = document["data"]
        kind, result = data["resultType"], data["result"]
        _expect_matrix(kind, where)
        return [
            ({name: value for name, value in labels.items() if name not in _OF_THE_SERIES}, times)
            for one in result
            if (labels := one["metric"]).get("alertstate", "firing") == "firing"
            and _is_alert(labels, where)
            and (times := sorted(round(at * 1000) for at, _ in one["values"]))
        ]
    except ReplayError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise ReplayError(
            f"{where}: expected an answer of Prometheus' query_range; this is something else"
        ) from None


def _expect_matrix(kind: Any, where: str) -> None:
    if kind != "matrix":
        raise ReplayError(f"{where}: expected a range query's answer (matrix); this is a {str(kind)[:40]}")


def _is_alert(labels: Any, where: str) -> bool:
    """Whether Tocsin would take an alert with these labels; raises where not."""
    if labels.get("__name__", "ALERTS") != "ALERTS":
        raise ReplayError(f"{where}: expected the series ALERTS; this is {str(labels['__name__'])[:60]}")
    try:
        alert_key(labels)
    except InvalidAlertError as error:
        raise ReplayError(f"{where}: {error.field}: {error}") from None
    return True
