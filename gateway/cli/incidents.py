"""`tocsin incidents list|show`: what is open, and everything about one incident."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli import answers, why
from gateway.cli.options import DEFAULT_SERVER, Limit, Output, Server, Token, incident_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

app = typer.Typer(help="See incidents, and answer them.")
app.add_typer(answers.app)

Status = Literal["open", "triggered", "acknowledged", "resolved", "all"]


@app.command("list")
def list_incidents(
    *,
    status: Annotated[
        Status,
        typer.Option(
            "--status",
            metavar="open|triggered|acknowledged|resolved|all",
            help="open: triggered or acknowledged.",
        ),
    ] = "open",
    team: Annotated[str, typer.Option("--team", metavar="NAME", help="Only those of this team.")] = "",
    severity: Annotated[
        str, typer.Option("--severity", metavar="NAME", help="Only those of this severity.")
    ] = "",
    person: Annotated[
        str,
        typer.Option(
            "--person",
            metavar="NAME",
            help="Only those that this user acknowledged or was told of in person.",
        ),
    ] = "",
    mine: Annotated[
        bool, typer.Option("--mine", help="Only those of the user whose name the token has.")
    ] = False,
    limit: Limit = 50,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List incidents, the newest first."""
    from gateway.cli import output as out
    from gateway.cli import times
    from gateway.cli.client import Client
    from gateway.cli.story import firing, routed
    from gateway.cli.story import status as shown_status

    named = {"team": team, "severity": severity, "person": person, "mine": "true" if mine else ""}
    asked = {"status": status, "limit": limit} | {name: value for name, value in named.items() if value}
    answer = Client(server, token).get("/incidents", asked)
    incidents = answer.body.get("incidents") or []
    if output == "json":
        out.write_json(answer.body)
        return
    if not incidents:
        which = "" if status == "all" else f" {status}"
        out.say(f"No{which} incidents{' that are asked for' if any(named.values()) else ''}.")
        return
    columns = [
        out.Column(title) for title in ("STATUS", "SEVERITY", "FIRING", "OPENED", "WHO", "RECEIVER", "LABELS")
    ]
    rows = [
        [
            out.plain(incident.get("number")),
            shown_status(incident),
            out.word(incident.get("severity") or None),
            firing(incident),
            times.distance(incident.get("opened_at"), answer.at),
            _who(incident, answer.at),
            routed(incident),
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
        typer.Argument(metavar="NUMBER", parser=incident_number, help="Its number, such as 1 or '#1'."),
    ],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Show one incident: who has it, who was told, what happened."""
    from gateway.cli import output as out
    from gateway.cli import story
    from gateway.cli.client import Client

    answer = Client(server, token).get(f"/incidents/{number}")
    if output == "json":
        out.write_json(answer.body)
        return
    story.write(answer.body, answer.at)


app.command("why")(why.why)


def _who(incident: "Mapping[str, Any]", now: "datetime") -> str:
    """Who has it in hand, and for how long still, where that has an end."""
    from gateway.cli import output as out
    from gateway.cli import times

    if incident.get("status") != "acknowledged":
        return "-"
    end = times.parse(incident.get("acknowledged_until"))
    left = f", {times.length(end - now)} left" if end and end > now else ""
    return f"{out.plain(incident.get('acknowledged_by'), 40)}{left}"
