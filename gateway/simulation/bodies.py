"""Real webhook bodies as what happens: Alertmanager's webhook, or what Prometheus posts by itself.

A body arrives when the newest time in it was; if it is said when, it arrives then, and its times are moved by
as much. Bodies are given in the order in which they arrive; all of them are moved alike. An alert that fires
goes on firing, unless it is said for how long, or another body ends it. Where Prometheus posts by itself, an
end is in the past or still to come, and a file does not say when it was posted: all is taken as firing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.payload import (
    Harvest,
    PayloadError,
    add_posted_alerts,
    add_webhook_alerts,
    open_posted,
    open_webhook,
    read_json,
)
from gateway.simulation.given import Given, GivenError, contents, gathered, shown
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.alerts import Arrival

_FOR_LONG: Final = 1 << 50  # ms: an alert without an end has it later than it can start


def bodies(files: Sequence[str], at: int | None, now: int, fires: int | None) -> Given:
    """What arrives with these bodies, the first of them at `at`; None: when it did. All in ms.

    `now` is when a body arrives in which no time stands. Alerts fire for `fires`, None: for ever.

    Raises:
        GivenError: one is no body, or no alert in it is valid.
    """
    notes: list[str] = []
    arrived: list[Arrived] = []
    last = 0
    for file in files:
        harvest = _harvest(file, now, notes)
        last = max(last, _newest(harvest.arrivals) or now)
        arrived.append(Arrived(last, tuple(_awaited(one) for one in harvest.arrivals), stays=True))
    if at is not None:
        arrived = [_moved(one, at - arrived[0].at) for one in arrived]
    if fires is not None:
        arrived += _ends(arrived, fires)
    if not any(one.status == "firing" for body in arrived for one in body.arrivals):
        notes.append(f"no alert fires in {', '.join(map(shown, files))}: each of them is resolved")
    return gathered(arrived, tuple(notes))


def _harvest(file: str, now: int, notes: list[str]) -> Harvest:
    data, name, harvest = contents(file), shown(file), Harvest()
    try:
        document = read_json(data)
        if isinstance(document, list):
            add_posted_alerts(harvest, open_posted(document), 0, now, _FOR_LONG)
            harvest.arrivals = [one._replace(status="firing", ends_at=None) for one in harvest.arrivals]
            notes.append(
                f"{name}: Prometheus does not say which alerts have ended; all of them are taken as firing"
            )
        else:
            envelope, alerts = open_webhook(document)
            add_webhook_alerts(harvest, alerts, 0, now)
            if envelope.hidden:
                notes.append(f"{name}: Alertmanager left {envelope.hidden} alerts out of it (max_alerts)")
    except PayloadError as error:
        where = f"{name}: {error.field}" if error.field else name
        cut = "; the file seems to be cut off" if "unexpected end of data" in str(error) else ""
        raise GivenError(f"{where}: {error}{cut}") from None
    notes += [f"{name}: alerts[{one.index}].{one.field}: left out: {one.message}" for one in harvest.problems]
    if not harvest.arrivals:
        raise GivenError(f"{name}: no alert in it can be used", "\n".join(notes))
    return harvest


def _newest(arrivals: Sequence[Arrival]) -> int:
    return max((max(one.starts_at, one.ends_at or 0) for one in arrivals), default=0)


def _awaited(one: Arrival) -> Arrival:
    """Without the deadline by which its sender repeats it: here it does."""
    return one._replace(until=None)


def _moved(body: Arrived, by: int) -> Arrived:
    moved = tuple(
        one._replace(starts_at=one.starts_at + by, ends_at=one.ends_at + by if one.ends_at else None)
        for one in body.arrivals
    )
    return replace(body, at=body.at + by, arrivals=moved)


def _ends(arrived: Sequence[Arrived], fires: int) -> list[Arrived]:
    """The ends of all that fires, `fires` after it was first heard of."""
    first: dict[str, tuple[int, Arrival]] = {}
    for body in arrived:
        for one in body.arrivals:
            if one.status == "firing":
                first.setdefault(one.key, (body.at, one))
            else:
                first.pop(one.key, None)
    ends: dict[int, list[Arrival]] = {}
    for at, one in first.values():
        ends.setdefault(at + fires, []).append(one._replace(status="resolved", ends_at=at + fires))
    return [Arrived(at, tuple(found)) for at, found in ends.items()]
