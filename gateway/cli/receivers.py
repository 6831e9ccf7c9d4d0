"""`tocsin receivers`: try a way to tell people before it is needed."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import Annotated
from urllib.parse import quote

import typer

from gateway.cli.options import DEFAULT_SERVER, Output, Server, Token

app = typer.Typer(help="Try a way to tell people: does a message really arrive?")

ATTEMPT = 30  # seconds that the server gives each integration, all at the same time
TEST_TIMEOUT = 60.0  # seconds: the server tries every integration of the receiver before it answers


@app.callback()
def receivers() -> None:
    """Keep `test` a command of its own: typer would fold a group that has only one."""


@app.command("test")
def try_receiver(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The receiver's name in the configuration.")],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Send a marked test message and say what came back."""
    from gateway.cli import output as out
    from gateway.cli.client import Client

    out.say(f"Sending a test message to {name}; an answer can take up to {ATTEMPT} s.")
    answer = Client(server, token).post(f"/receivers/{quote(name, safe='')}/test", timeout=TEST_TIMEOUT)
    results = answer.body.get("results") or []
    if output == "json":
        out.write_json(answer.body)
    elif results:
        rows = [
            [
                out.word(result.get("outcome")),
                out.plain(f"{result.get('kind')}[{result.get('index')}]"),
                out.plain(result.get("target"), 60),
                out.plain(result.get("detail") or ""),
            ]
            for result in results
        ]
        out.write_table([out.Column(title) for title in ("OUTCOME", "INTEGRATION", "TARGET", "DETAIL")], rows)
    if not results:
        out.say(f"The receiver {name} has no integrations: it tells nobody.")
    if not results or any(result.get("outcome") != "sent" for result in results):
        raise typer.Exit(1)
