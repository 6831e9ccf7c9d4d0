"""The options that several commands share, each stated once.

A token is never given back: it has no default that help could show, and no message repeats it.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

DEFAULT_LISTEN = "127.0.0.1:9199"
DEFAULT_SERVER = f"http://{DEFAULT_LISTEN}"

Format = Literal["text", "json"]

Output = Annotated[
    Format,
    typer.Option("--output", "-o", metavar="text|json", help="For people, or for programs."),
]
Server = Annotated[
    str,
    typer.Option("--server", metavar="URL", envvar="TOCSIN_SERVER", help="Address of the running Tocsin."),
]
Token = Annotated[
    str,
    typer.Option(
        "--token",
        metavar="TOKEN",
        envvar="TOCSIN_TOKEN",
        show_default=False,
        help="One of the server's tokens; safer in the environment.",
    ),
]
AnswerFrom = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Answer from a tocsin.yaml, without a server.",
    ),
]
Limit = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=1, max=1000, help="Show at most this many."),
]

MAX_DIGITS = 15


def incident_number(text: str) -> int:
    """Messages write #1, so that is what people paste.

    Raises:
        typer.BadParameter: with what was expected.
    """
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > MAX_DIGITS or int(digits) < 1:
        raise typer.BadParameter(f"{text!r} is no incident; expected a number such as 1 or '#1'")
    return int(digits)


def listen_address(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `[::1]:PORT` or `:PORT` (every IPv4 address) as (host, port); port 0 takes a free one.

    Raises:
        typer.BadParameter: with what was expected.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise typer.BadParameter(f"an IPv6 address needs brackets: [{host}]:{port}", param_hint="'--listen'")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter(
            f"expected HOST:PORT such as {DEFAULT_LISTEN}, got {text!r}", param_hint="'--listen'"
        )
    return host or "0.0.0.0", int(port)  # noqa: S104 - only where the user wrote `:PORT`
