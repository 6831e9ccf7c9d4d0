"""`tocsin heartbeats`: which signs of life came, and which are missing."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import typer

from gateway.cli.options import DEFAULT_SERVER, Output, Server, Token


def heartbeats(*, output: Output = "text", server: Server = DEFAULT_SERVER, token: Token = "") -> None:
    """List heartbeats: when each was last heard. Exits 1 where one is missing."""
    from gateway.cli import output as out
    from gateway.cli import times
    from gateway.cli.client import Client

    answer = Client(server, token).get("/heartbeats")
    found = answer.body.get("heartbeats") or []
    if output == "json":
        out.write_json(answer.body)
    elif not found:
        out.say("No heartbeats are configured.")
    else:
        columns = [out.Column(title) for title in ("HEARTBEAT", "STATE", "LAST BEAT", "MISSING FROM", "WAYS")]
        rows = [
            [
                out.plain(one.get("name")),
                out.word(one.get("state")),
                times.distance(one.get("last_beat"), answer.at),
                times.distance(one.get("missing_since") or one.get("next_by"), answer.at),
                ", ".join(
                    out.plain(one.get("matchers")) if way == "alert" else out.plain(way)
                    for way in one.get("ways") or []
                ),
            ]
            for one in found
        ]
        out.write_table(columns, rows)
    if any(one.get("state") == "missing" for one in found):
        raise typer.Exit(1)
