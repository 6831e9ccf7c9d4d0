"""`tocsin demo`: the whole story on one machine, with stand-ins for PagerDuty, Slack and mail."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_LISTEN, listen_address


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of staying up.")] = False,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where the demo takes your own alerts.")
    ] = DEFAULT_LISTEN,
) -> None:
    """See it work, with stand-ins for PagerDuty, Slack and mail."""
    host, port = listen_address(listen)
    from gateway.cli.errors import CommandError
    from gateway.demo import run
    from gateway.serve_options import StartError

    try:
        code = run(once=once, host=host, port=port)
    except StartError as error:
        raise CommandError(error.message, error.hint) from None
    raise typer.Exit(code)
