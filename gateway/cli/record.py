"""`tocsin record`: writes the alerts that arrive as JSON lines, for `simulate --replay` and `diff --history`.

They come from a running Tocsin, as long as one listens, or from the memory of a Prometheus. The format of the
lines: `gateway/simulation/recording.py`.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Self

import typer

from gateway.cli.options import DEFAULT_SERVER, Server, Token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.cli.listening import Listening
    from gateway.simulation.recording import Redaction
    from routing.story import Happening

FLUSH_S = 1.0
KEPT = "alertname,severity"


def record(
    *,
    labels: Annotated[
        list[str] | None,
        typer.Argument(metavar="LABEL", help="With --redact: hide these labels only."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout; it must be new."),
    ] = None,
    lasting: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Stop after so long; else with Ctrl-C.")
    ] = "",
    redact: Annotated[
        bool,
        typer.Option(
            "--redact", help="Hash the values of labels, equal ones alike, and leave annotations out."
        ),
    ] = False,
    keep: Annotated[
        str,
        typer.Option("--keep", metavar="A,B", help="Labels that --redact shows if it is given none to hide."),
    ] = KEPT,
    prometheus: Annotated[
        str,
        typer.Option(
            "--prometheus",
            metavar="URL|FILE",
            show_default=False,
            help="Write what a Prometheus remembers of its alerts: it is asked for it, or an answer of its "
            "query_range about ALERTS is read.",
        ),
    ] = "",
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="With --prometheus: from when on.", show_default="7d"),
    ] = "",
    step: Annotated[
        str,
        typer.Option("--step", metavar="DURATION", help="With --prometheus: how exactly.", show_default="1m"),
    ] = "",
    prometheus_token: Annotated[
        str,
        typer.Option(
            "--prometheus-token",
            metavar="TOKEN",
            envvar="TOCSIN_PROMETHEUS_TOKEN",
            show_default=False,
            help="Its bearer token; safer in the environment.",
        ),
    ] = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Record alerts, to try a configuration on them.

    Writes the alerts that a running Tocsin receives, one JSON object a line, until Ctrl-C; `tocsin simulate
    --replay` and `tocsin diff --history` read them. Connects again where the connection ends, and writes how
    long it was not there. All worker processes of one service are heard; of several replicas record each one.
    """
    from gateway.cli.errors import CommandError

    redaction = _redaction(labels or [], redact=redact, keep=keep)
    if prometheus:
        if lasting:
            raise typer.BadParameter("does not go with --prometheus; use --since", param_hint="'--for'")
        history = _history(prometheus, since, step, prometheus_token)
        with _Recorder(output, redaction) as recorder:
            for happening in _readable(history):
                recorder.write_all(happening)
        return
    for name, value in (("--since", since), ("--step", step)):
        if value:
            raise typer.BadParameter("is only of use with --prometheus", param_hint=f"'{name}'")
    for_s = _duration(lasting, "--for") / 1000 if lasting else None
    from gateway.cli.client import Client
    from gateway.cli.listening import Listening

    listening = Listening(Client(server, token))
    with _Recorder(output, redaction) as recorder:
        try:
            recorder.write_while(listening, for_s)
        except CommandError as error:
            if not recorder.alerts:
                raise
            raise CommandError(f"{error.message} ({recorder.counted()})", error.hint) from None


class _Recorder:
    """Writes lines, in the order of time; says at the end how many there were."""

    def __init__(self, path: Path | None, redaction: "Redaction | None") -> None:
        self._path = path
        self._redaction = redaction
        self._file: BinaryIO = sys.stdout.buffer
        self._last = ""
        self._came: object = None
        self.alerts = self.bodies = self.missed = 0

    def __enter__(self) -> Self:
        from gateway.cli.errors import UsageError

        if self._path:
            try:
                self._file = self._path.open("xb")
            except FileExistsError:
                raise UsageError(f"{self._path} is there already", "Give a new name with -o.") from None
            except OSError as error:
                raise UsageError(f"{self._path} cannot be written: {error.strerror}") from None
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._path:
            self._file.close()
            if kind is not None and not self.alerts:
                self._path.unlink(missing_ok=True)
        if kind is None:
            from gateway.cli.output import say

            say(self.counted())

    def counted(self) -> str:
        """What there is now."""
        from routing.alerts import counted

        arrivals = f"{self.bodies} arrival{'s' * (self.bodies != 1)}"
        missed = f", {self.missed} missed" if self.missed else ""
        where = f" to {self._path}" if self._path else ""
        return f"Recorded {counted(self.alerts)} in {arrivals}{missed}{where}."

    def write_all(self, happening: "Happening") -> None:
        """What came together."""
        from gateway.simulation.recording import alert
        from routing.story import Arrived

        if isinstance(happening, Arrived):
            for arrival in happening.arrivals:
                self.write(alert(arrival, happening.at, 0), happening.at)

    def write_while(self, listening: "Listening", for_s: float | None) -> None:
        """What is heard, for so many seconds or until Ctrl-C or SIGTERM."""
        import signal
        import time

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        flushed = time.monotonic()
        try:
            for line in listening.lines(for_s):
                if line is not None:
                    self._write_line(line)
                if time.monotonic() - flushed > FLUSH_S:
                    self._file.flush()
                    flushed = time.monotonic()
        except KeyboardInterrupt:
            for line in listening.rest():
                self._write_line(line)
        self._file.flush()

    def _write_line(self, line: dict[str, Any]) -> None:
        if "notice" not in line:
            self.write(line, line["body"])
            return
        if line["notice"] == "missed":
            self.missed += line.get("count", 0)
        if line["notice"] in {"missed", "gap"}:
            self._put(line)

    def write(self, document: dict[str, Any], came: object) -> None:
        """An alert; those that `came` alike, one after the other, came together."""
        at = max(document["at"], self._last)  # clocks are put back; a recording goes on
        if (at, came) != (self._last, self._came) or not self.alerts:
            self.bodies += 1
        self._last, self._came = at, came
        self.alerts += 1
        shown = self._redaction.hide(document) if self._redaction else document
        self._put({**shown, "at": at, "body": self.bodies})

    def _put(self, document: dict[str, Any]) -> None:
        from gateway.cli.errors import ReaderGoneError
        from gateway.simulation.recording import as_line

        try:
            self._file.write(as_line(document))
        except BrokenPipeError:
            raise ReaderGoneError from None


def _redaction(labels: list[str], *, redact: bool, keep: str) -> "Redaction | None":
    if labels and not redact:
        raise typer.BadParameter(f"{labels[0]!r} is given, but not --redact", param_hint="'LABEL'")
    if not redact:
        if keep != KEPT:
            raise typer.BadParameter("says nothing without --redact", param_hint="'--keep'")
        return None
    from gateway.simulation.recording import Redaction

    return Redaction(frozenset(labels), frozenset(name.strip() for name in keep.split(",")))


def _history(source: str, since: str, step: str, token: str) -> "Iterator[Happening]":
    """What a Prometheus remembers; an address is asked, anything else is a file."""
    if not source.startswith(("http://", "https://")):
        for name, value in (("--since", since), ("--step", step)):
            if value:
                raise typer.BadParameter("a file has all its times", param_hint=f"'{name}'")
        from gateway.simulation.series import from_file

        path = Path(source)

        def read() -> "Iterator[Happening]":
            with path.open("rb") as file:
                yield from from_file(path, file)

        return read()
    import time

    from gateway.cli.prometheus import Prometheus
    from gateway.simulation.series import STEP, from_prometheus

    now = time.time_ns() // 1_000_000
    every = _duration(step, "--step") if step else STEP
    if every < 1_000:
        raise typer.BadParameter("expected one second or more", param_hint="'--step'")
    try:
        client = Prometheus(source, token)
    except typer.BadParameter as error:
        error.param_hint = "'--prometheus'"
        raise
    return from_prometheus(client.firing, _since(since or "7d", now), now, every)


def _readable(history: "Iterator[Happening]") -> "Iterator[Happening]":
    """`history`, whose errors are told as those of a command."""
    from gateway.cli.errors import CommandError, UsageError
    from gateway.simulation.replay import ReplayError
    from gateway.simulation.series import TooMuchError

    try:
        yield from history
    except ReplayError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from None
    except TooMuchError as error:
        raise CommandError(
            f"Prometheus cannot answer: {error}", "Ask for less with a longer --step."
        ) from None


def _duration(text: str, option: str) -> int:
    from gateway.simulation.times import TimeError, duration

    try:
        found = duration(text)
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from None
    if found <= 0:
        raise typer.BadParameter("expected more than nothing", param_hint=f"'{option}'")
    return found


def _since(text: str, now: int) -> int:
    """A duration before `now`, or a time."""
    from gateway.simulation.times import TimeError, duration, moment

    try:
        at = moment(text) if "-" in text else now - duration(text)
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint="'--since'") from None
    if not 0 <= at < now:
        raise typer.BadParameter("expected a time before now", param_hint="'--since'")
    return at
