"""`tocsin incidents`: what is open, and everything about one incident."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_SERVER, Limit, Output, Server, Token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rich.text import Text

app = typer.Typer(help="See incidents: what is open, and the story of one.")

Status = Literal["open", "resolved", "all"]
MAX_DIGITS = 15


def _number(text: str) -> int:
    """Messages write #1, so that is what people paste."""
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > MAX_DIGITS or int(digits) < 1:
        raise typer.BadParameter(f"{text!r} is no incident; expected a number such as 1 or '#1'")
    return int(digits)


@app.command("list")
def list_incidents(
    *,
    status: Annotated[
        Status, typer.Option("--status", metavar="open|resolved|all", help="Which incidents.")
    ] = "open",
    limit: Limit = 50,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List incidents, the newest first."""
    from gateway.cli import output as out
    from gateway.cli import times
    from gateway.cli.client import Client

    answer = Client(server, token).get("/incidents", {"status": status, "limit": limit})
    incidents = answer.body.get("incidents") or []
    if output == "json":
        out.write_json(answer.body)
        return
    if not incidents:
        out.say("No incidents." if status == "all" else f"No {status} incidents.")
        return
    columns = [
        out.Column(title) for title in ("STATUS", "SEVERITY", "FIRING", "OPENED", "RECEIVER", "LABELS")
    ]
    rows = [
        [
            out.plain(incident.get("number")),
            _status(incident),
            out.word(incident.get("severity") or None),
            _firing(incident),
            times.distance(incident.get("opened_at"), answer.at),
            out.plain(incident.get("receiver"), 40),
            out.labels(incident.get("labels")),
        ]
        for incident in incidents
    ]
    out.write_table([out.Column("#", right=True), *columns], rows)
    if len(incidents) >= limit:
        out.say(f"The newest {limit} are shown; --limit N shows more.")


@app.command("show")
def show_incident(
    *,
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", parser=_number, help="The incident's number, such as 1 or '#1'."),
    ],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Show one incident: its alerts, who was told, and what happened when."""
    from gateway.cli import output as out
    from gateway.cli.client import Client

    answer = Client(server, token).get(f"/incidents/{number}")
    if output == "json":
        out.write_json(answer.body)
        return
    _write_head(answer.body, answer.at)
    _write_alerts(answer.body, answer.at)
    _write_deliveries(answer.body, answer.at)
    _write_timeline(answer.body)


def _status(incident: "Mapping[str, Any]") -> "Text":
    from rich.text import Text

    from gateway.cli import output as out

    status = out.word(incident.get("status"))
    return Text(f"{status}, suppressed", style="dim") if incident.get("suppressed") else status


def _counts(incident: "Mapping[str, Any]") -> tuple[int, int, int]:
    """How many alerts fire, how many are held, and how many there are in all."""
    firing, held, ended = (int(incident.get(name) or 0) for name in ("firing", "held", "resolved"))
    return firing, held, firing + held + ended


def _firing(incident: "Mapping[str, Any]", unit: str = "") -> str:
    firing, held, total = _counts(incident)
    return f"{firing} of {total}{unit}" + (f", {held} held" if held else "")


def _write_head(incident: "Mapping[str, Any]", now: "datetime") -> None:
    from rich.text import Text

    from gateway.cli import output as out
    from gateway.cli import times

    status, severity = _status(incident), out.word(incident.get("severity") or "")
    out.write(
        Text("  ").join([Text(f"#{out.plain(incident.get('number'))}", style="bold"), status, severity])
    )

    def moment(name: str) -> str:
        value = incident.get(name)
        return f"{times.stamp(value)}  ({times.distance(value, now)})" if times.parse(value) else "-"

    out.write_fields(
        {
            "Group": out.labels(incident.get("labels")),
            "Route": out.plain(incident.get("route")),
            "Receiver": out.plain(incident.get("receiver")),
            "Firing": _firing(incident, " alerts"),
            "Suppressed": out.plain(incident.get("suppressed_by")),
            "Opened": moment("opened_at"),
            "Triggered": moment("triggered_at"),
            "Resolved": moment("resolved_at"),
            "Page": out.plain(incident.get("url")),
        }
    )


def _write_alerts(incident: "Mapping[str, Any]", now: "datetime") -> None:
    from gateway.cli import output as out
    from gateway.cli import times

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


def _write_deliveries(incident: "Mapping[str, Any]", now: "datetime") -> None:
    from gateway.cli import deliveries, output

    told = incident.get("deliveries") or []
    if told:
        _write_title("Deliveries")
        output.write_table(deliveries.columns(with_incident=False), deliveries.rows(told, now), indent=2)


def _write_timeline(incident: "Mapping[str, Any]") -> None:
    from gateway.cli import output as out
    from gateway.cli import times

    entries = incident.get("timeline") or []
    if entries:
        _write_title("Timeline")
        rows = [
            [
                times.stamp(entry.get("at")),
                " — ".join(out.plain(part) for part in (entry.get("text"), entry.get("target")) if part),
            ]
            for entry in entries
        ]
        out.write_table([out.Column("AT"), out.Column("WHAT")], rows, indent=2)


def _write_title(title: str) -> None:
    from rich.text import Text

    from gateway.cli import output as out

    out.write(Text(), Text(title, style="bold"))
