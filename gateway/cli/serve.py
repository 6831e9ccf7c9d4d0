"""`tocsin serve`: run the service until it is told to stop."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_LISTEN, listen_address
from gateway.serve_options import LogFormat, LogLevel


def serve(
    *,
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The configuration, tocsin.yaml.",
        ),
    ],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to take alerts and requests.")
    ] = DEFAULT_LISTEN,
    redis: Annotated[
        str,
        typer.Option(
            "--redis",
            metavar="URL",
            envvar="TOCSIN_REDIS",
            show_default="the configuration's, else a store of its own",
            help="Keep everything in this Redis.",
        ),
    ] = "",
    data_dir: Annotated[
        Path,
        typer.Option(
            "--data-dir", metavar="DIR", envvar="TOCSIN_DATA_DIR", help="Where its own store keeps its files."
        ),
    ] = Path("~/.local/share/tocsin"),
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=64, help="Processes that share the work.")
    ] = 1,
    log_level: Annotated[
        LogLevel,
        typer.Option("--log-level", metavar="debug|info|warning|error", help="The least that is logged."),
    ] = "info",
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            "--log-format",
            metavar="console|json",
            show_default="console on a terminal, else json",
            help="How the log is written (to stderr).",
        ),
    ] = None,
) -> None:
    """Run Tocsin: take alerts, tell people, until Ctrl-C or SIGTERM."""
    host, port = listen_address(listen)
    from pydantic import SecretStr

    from config.problems import ConfigError
    from gateway import app
    from gateway.cli import output as out
    from gateway.cli.errors import CommandError
    from gateway.serve_options import ServeOptions, StartError

    options = ServeOptions(
        config=config,
        host=host,
        port=port,
        redis=SecretStr(redis) if redis else None,
        data_dir=data_dir.expanduser(),
        workers=workers,
        log_level=log_level,
        log_format=log_format or ("console" if sys.stderr.isatty() else "json"),
    )
    try:
        app.serve(options)
    except ConfigError as error:
        for problem in error.problems:
            out.say(str(problem))
        raise CommandError(f"{config} cannot be used", "See above; `tocsin check` shows the same.") from None
    except StartError as error:
        raise CommandError(error.message, error.hint) from None
