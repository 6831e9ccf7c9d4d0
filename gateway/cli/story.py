"""One incident as text: who has it, what comes next, its alerts, who was told, and what happened when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from gateway.cli import deliveries, times
from gateway.cli import output as out
from routing.whom import is_news

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def write(incident: Mapping[str, Any], now: datetime) -> None:
    """Print the incident of the API; `now` is the server's clock."""
    _write_head(incident, now)
    _write_alerts(incident, now)
    _write_deliveries(incident, now)
    _write_timeline(incident)


def write_name(incident: Mapping[str, Any]) -> None:
    """Print its number, status and severity."""
    name = Text(f"#{out.plain(incident.get('number'))}", style="bold")
    out.write(Text("  ").join([name, status(incident), out.word(incident.get("severity") or "")]))


def status(incident: Mapping[str, Any]) -> Text:
    """Its status, with a word more where nobody is told now."""
    word = out.word(incident.get("status"))
    return Text(f"{word}, suppressed", style="dim") if incident.get("suppressed") else word


def firing(incident: Mapping[str, Any], unit: str = "") -> str:
    """`3 of 4, 1 held`: how many of its alerts fire."""
    count, held, total = _counts(incident)
    return f"{count} of {total}{unit}" + (f", {held} held" if held else "")


def routed(incident: Mapping[str, Any]) -> str:
    """The receiver, or the policy as `routes test` names it."""
    policy = incident.get("policy")
    return out.plain(f"policy:{policy}" if policy else incident.get("receiver"), 40)


def _counts(incident: Mapping[str, Any]) -> tuple[int, int, int]:
    """How many alerts fire, how many are held, and how many there are in all."""
    count, held, ended = (int(incident.get(name) or 0) for name in ("firing", "held", "resolved"))
    return count, held, count + held + ended


def _write_head(incident: Mapping[str, Any], now: datetime) -> None:
    write_name(incident)

    def moment(name: str) -> str:
        value = incident.get(name)
        return f"{times.stamp(value)}  ({times.distance(value, now)})" if times.parse(value) else "-"

    coming = incident.get("next") or {}
    out.write_fields(
        {
            "Group": out.labels(incident.get("labels")),
            "Route": out.plain(incident.get("route")),
            "Receiver": "" if incident.get("policy") else out.plain(incident.get("receiver")),
            "Policy": out.plain(incident.get("policy")),
            "Team": out.plain(incident.get("team")),
            "Firing": firing(incident, " alerts"),
            "Suppressed": out.plain(incident.get("suppressed_by")),
            "Opened": moment("opened_at"),
            "Triggered": moment("triggered_at"),
            "Acknowledged": _acknowledged(incident, now),
            "Next": f"{out.plain(coming.get('text'))}, {times.distance(coming.get('at'), now)}"
            if coming
            else "",
            "Resolved": moment("resolved_at"),
            "Related": "  ".join(_related(other) for other in incident.get("related") or ()),
            "Page": out.plain(incident.get("url")),
        }
    )


def _acknowledged(incident: Mapping[str, Any], now: datetime) -> str:
    if not incident.get("acknowledged_by"):
        return ""
    via = f" ({out.plain(incident['acknowledged_via'])})" if incident.get("acknowledged_via") else ""
    until = incident.get("acknowledged_until")
    end = f", until {times.stamp(until)} ({times.distance(until, now)})" if times.parse(until) else ""
    at = times.distance(incident.get("acknowledged_at"), now)
    return f"by {out.plain(incident['acknowledged_by'])}{via} {at}{end}"


def _related(incident: Mapping[str, Any]) -> str:
    return f"#{out.plain(incident.get('number'))} {out.plain(incident.get('status'))}, {routed(incident)}"


def _write_alerts(incident: Mapping[str, Any], now: datetime) -> None:
    alerts = incident.get("alerts") or []
    _, _, total = _counts(incident)
    if not alerts:
        return
    shared = set.intersection(*(set((alert.get("labels") or {}).items()) for alert in alerts))
    rows = []
    for alert in alerts:
        own = {
            k: v for k, v in (alert.get("labels") or {}).items() if len(alerts) == 1 or (k, v) not in shared
        }
        notes = alert.get("annotations") or {}
        summary = notes.get("summary") or notes.get("description") or ""
        ended = times.distance(alert.get("ends_at"), now) if alert.get("status") == "resolved" else "-"
        expired = "no longer reported" if alert.get("expired") else ""
        hold = alert.get("held_by")
        held = f"held: {out.plain(hold.get('text'))}" if hold else ""
        text = "  ".join(part for part in (out.labels(own), out.plain(summary), held, expired) if part)
        rows.append(
            [
                out.word("held" if hold else alert.get("status")),
                times.distance(alert.get("starts_at"), now),
                ended,
                text,
            ]
        )
    count = f"the first {len(alerts)} of {total}" if total > len(alerts) else str(len(alerts))
    _write_title(f"Alerts ({count})")
    if len(alerts) > 1 and shared:
        out.write_fields({"All have": out.labels(dict(shared))})
    out.write_table([out.Column(title) for title in ("STATUS", "STARTED", "ENDED", "ALERT")], rows, indent=2)


def _write_deliveries(incident: Mapping[str, Any], now: datetime) -> None:
    told = incident.get("deliveries") or []
    if told:
        _write_title("Deliveries")
        out.write_table(deliveries.columns(with_incident=False), deliveries.rows(told, now), indent=2)


def _write_timeline(incident: Mapping[str, Any]) -> None:
    entries = [entry for entry in incident.get("timeline") or [] if is_news(entry)]
    if entries:
        _write_title("Timeline")
        rows = [
            [
                times.stamp(entry.get("at")),
                _said(entry),
            ]
            for entry in entries
        ]
        out.write_table([out.Column("AT"), out.Column("WHAT")], rows, indent=2)


def _write_title(title: str) -> None:
    out.write(Text(), Text(title, style="bold"))


def _said(entry: Mapping[str, Any]) -> str:
    """What happened; to whom, where the text does not say it."""
    text, target = str(entry.get("text") or ""), str(entry.get("target") or "")
    return out.plain(text) + (f" — {out.plain(target)}" if target and target not in text else "")
