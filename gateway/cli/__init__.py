"""The command `tocsin`: its commands are put together here, and how every one of them ends.

Exit codes: 0 done; 1 the answer is "no", or it could not be done; 2 used wrongly; 130 Ctrl-C; 141 the
reader of a pipe went away. Data goes to stdout, everything else to stderr. No traceback reaches a user
unless TOCSIN_DEBUG=1 asks for it. Only typer is imported for `--help`.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from gateway.cli.errors import CommandError, ReaderGoneError
from gateway.cli.packages import misplaced


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - stays open to the end
        # A terminal that cannot show a character gets its code instead of ending the command.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    try:
        code = _run()
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGoneError):
        code = 141
        _write_no_more()
    except OSError as error:  # a full disk
        code = _fail(f"the output could not be written: {error.strerror}")
        _write_no_more()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _write_no_more() -> None:
    """What is still in the buffer must not be tried again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run() -> int:
    trouble = misplaced(Path(__file__).resolve().parents[2])
    if trouble:
        return _fail(trouble, "Install Tocsin into an environment of its own: `pipx install tocsin`.")
    try:
        ended = application()(prog_name="tocsin", standalone_mode=False)
    except typer.TyperException as error:
        return _misused(error)
    except CommandError as error:
        return _fail(error.message, error.hint, error.code)
    except (BrokenPipeError, ReaderGoneError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        return _unexpected(error)
    return ended if isinstance(ended, int) else 0


def application() -> typer.Typer:
    """All commands of `tocsin`."""
    from gateway.cli import (
        check,
        deliveries,
        demo,
        diff,
        heartbeats,
        incidents,
        oncall,
        receivers,
        record,
        routes,
        serve,
        silences,
        simulate,
        stats,
        test,
        version,
    )

    app = typer.Typer(
        help="Tocsin takes alerts from Prometheus and Alertmanager and tells people until somebody answers.",
        epilog="Try `tocsin demo` first. Every command explains itself with --help.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("demo")(demo.demo)
    app.command("check", no_args_is_help=True)(check.check)
    app.command("serve")(serve.serve)
    app.add_typer(routes.app, name="routes", no_args_is_help=True)
    app.add_typer(incidents.app, name="incidents", no_args_is_help=True)
    app.add_typer(silences.app, name="silences", no_args_is_help=True)
    app.add_typer(oncall.app, name="oncall", no_args_is_help=True)
    app.add_typer(deliveries.app, name="deliveries", no_args_is_help=True)
    app.add_typer(receivers.app, name="receivers", no_args_is_help=True)
    app.command("simulate", no_args_is_help=True)(simulate.simulate)
    app.command("test", no_args_is_help=True)(test.run_tests)
    app.command("diff", no_args_is_help=True)(diff.diff)
    app.command("record")(record.record)
    app.command("heartbeats")(heartbeats.heartbeats)
    app.command("stats")(stats.stats)
    app.command("version")(version.version)
    return app


def _fail(message: str, hint: str = "", code: int = 1) -> int:
    from gateway.cli.output import say

    say(f"Error: {message}", hint)
    return code


def _misused(error: typer.TyperException) -> int:
    message = error.format_message()
    if message.startswith("Usage:"):  # nothing was asked: help is the answer
        sys.stderr.write(message + "\n")
        return 2
    from gateway.cli.output import say

    context = getattr(error, "ctx", None)
    message = message.replace("Value error, ", "")  # pydantic's, inside typer's sentence
    say(f"Error: {message}", f"Try `{context.command_path} --help`." if context else "")
    return 2


def _unexpected(error: Exception) -> int:
    if os.environ.get("TOCSIN_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    return _fail(
        f"{type(error).__name__}: {error}",
        "This was not foreseen. Run it again with TOCSIN_DEBUG=1 to see where it happened, and report that.",
    )
