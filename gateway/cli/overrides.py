"""`tocsin oncall override`: put somebody else on call for a while; asks a running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_SERVER, AnswerFrom, Output, Server, Token

app = typer.Typer(help="Put somebody else on call for a while.")

Schedules = Annotated[list[str] | None, typer.Argument(metavar="SCHEDULE...", help="Not given: all.")]


@app.command("add")
def add_override(
    *,
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE", help="In which schedule.")],
    people: Annotated[list[str], typer.Argument(metavar="PERSON...", help="Who is on call.")],
    lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 4h.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Such as 2026-12-27 09:00.")] = "",
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="Where that is not now.")] = "now",
    instead_of: Annotated[
        str, typer.Option("--instead-of", metavar="NAME", help="Replace only this person.")
    ] = "",
    comment: Annotated[str, typer.Option("--comment", "-c", metavar="TEXT", help="Why.")] = "",
    author: Annotated[
        str, typer.Option("--author", "-a", metavar="NAME", help="Who does it, where the token does not say.")
    ] = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Put somebody on call instead. Prints the override's id."""
    from gateway.api.shapes import moment
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli import spans
    from gateway.cli.client import Client
    from gateway.cli.rota import ServerRota, chosen
    from gateway.oncall_view import TimeError, when

    if bool(lasts) == bool(until):
        raise typer.BadParameter("give one of them, not both or none", param_hint="'--for' / '--until'")
    if lasts:
        spans.duration(lasts)
    client = Client(server, token)
    known = ServerRota(client)
    zone = known.schedules[chosen([schedule], known.schedules)[0]].get("time_zone") or "UTC"
    asked: dict[str, Any] = {"schedule": schedule, "people": people, "comment": comment, "by": author}
    try:
        asked |= {"start": moment(when(start, zone, known.now))} if start != "now" else {}
        asked |= {"end": moment(when(until, zone, known.now))} if until else {"for": lasts}
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint="'--start' / '--until'") from None
    made = client.post("/overrides", body=asked | {"instead_of": instead_of}).body
    if output == "json":
        out.write_json(made)
        return
    out.write_line(made.get("id"))
    begins = "" if made.get("state") == "active" else f" from {said.clock(made.get('start'), zone)}"
    who = ", ".join(made.get("people") or [])
    out.say(f"On call in {schedule}{begins} until {said.clock(made.get('end'), zone)}: {who}.")


@app.command("remove")
def remove_overrides(
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `override list` shows them.")],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """End overrides now; those that have not begun never do."""
    from gateway.cli.client import Client
    from gateway.cli.one_by_one import each

    client = Client(server, token)
    each(
        ids,
        lambda identity: client.delete(f"/overrides/{identity}"),
        refused={404},
        done="removed",
        key="overrides",
        output=output,
    )


@app.command("list")
def list_overrides(
    *,
    schedules: Schedules = None,
    state: Annotated[
        Literal["current", "all"], typer.Option("--state", metavar="current|all", help="current: not ended.")
    ] = "current",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List overrides, in the order in which they count: later ones win."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli.rota import rota

    found = rota(config, server, token).overrides(schedules or [], state)
    if output == "json":
        out.write_json({"overrides": found})
        return
    if not found:
        out.say("No overrides.")
        return
    titles = ("ID", "SCHEDULE", "FROM", "UNTIL", "ON CALL", "INSTEAD OF", "BY AND WHY")
    rows = [
        [
            out.plain(one["id"]),
            out.plain(one["schedule"]),
            said.clock(one["start"], "UTC"),
            said.clock(one["end"], "UTC"),
            said.people(one["people"]),
            out.plain(one["instead_of"] or "everybody"),
            f"{out.plain(one['by'])}  {out.plain(one['comment'])}".strip(),
        ]
        for one in found
    ]
    out.write_table([out.Column(title) for title in titles], rows)
