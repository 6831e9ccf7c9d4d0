"""`tocsin deliveries`: who was told, who was not and why, and trying dead ones again."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_SERVER, Limit, Output, Server, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gateway.cli.output import Column

app = typer.Typer(help="See what was sent, and try again what could not be.")

State = Literal["dead", "open", "done", "all"]


@app.command("list")
def list_deliveries(
    *,
    state: Annotated[
        State,
        typer.Option(
            "--state",
            metavar="dead|open|done|all",
            help="dead: given up; open: waiting, or its incident can have more to say; done: all is said.",
        ),
    ] = "dead",
    limit: Limit = 50,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List deliveries; without options those that were given up."""
    from gateway.cli import output as out
    from gateway.cli.client import Client

    answer = Client(server, token).get("/deliveries", {"state": state, "limit": limit})
    deliveries = answer.body.get("deliveries") or []
    if output == "json":
        out.write_json(answer.body)
        return
    if not deliveries:
        hint = "--state all shows the others." if state == "dead" else ""
        out.say("No deliveries." if state == "all" else f"No {state} deliveries.", hint)
        return
    out.write_table(columns(with_incident=True), rows(deliveries, answer.at, with_incident=True))
    if len(deliveries) >= limit:
        out.say(f"{limit} are shown; --limit N shows more.")


@app.command("retry")
def retry_deliveries(
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `deliveries list` shows them.")],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Try dead deliveries again, now."""
    from gateway.cli.client import Client
    from gateway.cli.one_by_one import each

    client = Client(server, token)
    each(
        ids,
        lambda identity: client.post(f"/deliveries/{identity}/retry"),
        refused={404, 409},
        done="will be sent again now",
        key="deliveries",
        output=output,
    )


def columns(*, with_incident: bool) -> "list[Column]":
    """The columns in which deliveries are shown; an incident's own page leaves its number out."""
    from gateway.cli.output import Column

    incident = [Column("INCIDENT", right=True)] if with_incident else []
    return [Column("ID"), *incident, *map(Column, ("STATE", "TO", "FAILED", "WHEN", "TARGET AND ERROR"))]


def rows(
    deliveries: "Iterable[Mapping[str, Any]]", now: "datetime", *, with_incident: bool = False
) -> "list[list[object]]":
    """One row for each delivery of the API, as `columns` names them; `now` is the server's clock.

    FAILED counts attempts in a row. An error is shown while it is what holds the delivery up: not after an
    attempt that went well, and not after a retry was asked for.
    """
    from gateway.cli import output as out

    table: list[list[object]] = []
    for delivery in deliveries:
        current = delivery.get("state") == "dead" or delivery.get("tries")
        target, error = delivery.get("target"), delivery.get("error") if current else ""
        table.append(
            [
                out.plain(delivery.get("id")),
                *([out.plain(delivery.get("incident"))] if with_incident else []),
                out.word(_state(delivery)),
                out.plain(f"{delivery.get('receiver')}/{delivery.get('kind')}[{delivery.get('index')}]", 40),
                out.plain(delivery.get("tries")),
                _when(delivery, now),
                "  ".join(out.plain(part) for part in (target, error) if part),
            ]
        )
    return table


def _state(delivery: "Mapping[str, Any]") -> object:
    """The API's `open` in words: `waiting` has something to send, `sent` has nothing more to say for now."""
    state = delivery.get("state")
    if state != "open":
        return state
    behind = (
        int(delivery.get(f"{what}wanted") or 0) > int(delivery.get(f"{what}sent") or 0)
        for what in ("", "ring_")
    )
    if any(behind):
        return "waiting"
    return "sent" if delivery.get("sent_at") else state


def _when(delivery: "Mapping[str, Any]", now: "datetime") -> str:
    from gateway.cli import times

    if delivery.get("state") == "open" and times.parse(delivery.get("next_at")):
        return f"due {times.distance(delivery.get('next_at'), now)}"
    if times.parse(delivery.get("sent_at")):
        return f"sent {times.distance(delivery.get('sent_at'), now)}"
    return "never sent"
