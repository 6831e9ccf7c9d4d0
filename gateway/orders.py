"""A decision as commit.lua reads it: `routing/deciding.py` says what is written, here it becomes JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog

from config.compile import pin
from gateway.store.decisions import text
from routing import deciding
from routing.decisions import Decision
from routing.incident_records import to_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.book import PlanBook
    from gateway.store.records import ClaimedGroup
    from routing.recorded import Recorded


log = structlog.get_logger()


def to_write(
    group: ClaimedGroup,
    decision: Decision,
    orders: Sequence[dict[str, Any]],
    *,
    fresh: bool,
    dismissed_for: int = 0,
    meta: str = "",
    record: Recorded | None = None,
) -> dict[str, Any]:
    """The decision as commit.lua reads it. `fresh`: it was about an incident that had no number yet.

    `meta` is what the group keeps of the plan from now on, "" for what it has; `record` is kept with the
    incident.
    """
    incident = decision.incident
    return deciding.written(group, decision, orders, fresh=fresh, dismissed_for=dismissed_for) | {
        "version": group.version,
        # Closed without a number: its predecessor's record stays, which a late copy may still bring back.
        "doc": orjson.dumps(to_record(incident)).decode() if incident else group.doc,
        "meta": meta,
        "why": _why(record) if record and incident else "",
    }


def _why(record: Recorded) -> str:
    """What is kept to explain it; a fault there keeps nobody from being told."""
    try:
        return text(record)
    except (TypeError, ValueError):
        log.exception("decision.not_recorded", incident=record.incident.number)
        return ""


def nothing(group: ClaimedGroup) -> dict[str, Any]:
    """Nothing follows; only the group's memories go on."""
    return to_write(group, Decision(None), [], fresh=False)


def orders_of(group: ClaimedGroup, decision: Decision, book: PlanBook) -> list[dict[str, Any]]:
    """What each delivery is to do; a new one's address is pinned as it is now."""
    orders = deciding.orders_of(group, decision, book)
    for order in orders:
        if fields := order.get("new"):
            config = book.at(fields["place"]).config
            pinned = {"pinned": orjson.dumps(pin(config)).decode()}
            order["new"] = [part for pair in (fields | pinned).items() for part in pair]
    return orders
