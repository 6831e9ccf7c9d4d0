"""`tocsin test`: routing tests, as people write them for alerting rules; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.simulation.test_file import Case, Suite
    from gateway.simulation.testing import Loaded, Tried


@dataclass
class Results:
    """What came of a run. `seconds`: reading the files included."""

    loaded: "Loaded"
    tried: "list[Tried]" = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> "list[Tried]":
        """The tests that failed."""
        return [tried for tried in self.tried if tried.failed]

    @property
    def summary(self) -> str:
        """`12 passed, 1 failed in 0.02 s`."""
        failed = len(self.failed)
        return f"{len(self.tried) - failed} passed, {failed} failed in {self.seconds:.2f} s"


def run_tests(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="Files of routing tests."
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            "--name", "-k", metavar="TEXT", show_default=False, help="Only tests with this in their name."
        ),
    ] = "",
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit", metavar="FILE", dir_okay=False, help="Write the results as JUnit's XML, too."
        ),
    ] = None,
    output: Output = "text",
) -> None:
    """Run routing tests: who is told of which alerts, and when?

    Exits 1 where a test fails, 2 where a file cannot be used.
    """
    results = _run(files, name)
    if junit:
        _write_junit(junit, results)
    if output == "json":
        from gateway.cli import output as out

        out.write_json(_document(results))
    else:
        _write(results)
    if results.failed:
        raise typer.Exit(1)


# --- running --------------------------------------------------------------------------------------------


def _run(files: "Sequence[Path]", name: str) -> Results:
    from time import perf_counter

    from gateway.simulation.testing import run

    before = perf_counter()
    loaded = _loaded(files)
    wanted = list(_wanted(loaded, name))
    if not wanted:
        raise typer.BadParameter(f"no test has {name!r} in its name", param_hint="'--name'")
    results = Results(loaded)
    for tried in run(loaded, wanted):
        if not tried.failed:
            _forget(tried)
        results.tried.append(tried)
    results.seconds = perf_counter() - before
    return results


def _loaded(files: "Sequence[Path]") -> "Loaded":
    from config.problems import ConfigError
    from gateway.cli import output as out
    from gateway.cli.configured import refused
    from gateway.simulation.testing import load

    try:
        loaded = load(dict.fromkeys(files))
    except ConfigError as error:
        raise refused("what was given", error) from None
    for note in dict.fromkeys(note for planned in loaded.plans.values() for note in planned.notes):
        out.say(note)
    return loaded


def _wanted(loaded: "Loaded", name: str) -> "Iterator[tuple[Suite, Case]]":
    for suite in loaded.suites:
        for case in suite.cases:
            if name.casefold() in case.name.casefold():
                yield suite, case


def _forget(tried: "Tried") -> None:
    """Of a test that passed only what it has reached is kept, so that there may be many."""
    tried.story.lines.clear()
    tried.story.notifications.clear()
    tried.story.incidents = {}


# --- what is printed -------------------------------------------------------------------------------------

_STYLES = {"FAIL": "bold red", "    -": "red", "    +": "yellow"}


def _write(results: Results) -> None:
    from rich.text import Text

    from gateway.cli import output as out
    from gateway.simulation.test_report import report

    for tried in results.failed:
        for line in report(tried):
            style = next((style for begin, style in _STYLES.items() if line.startswith(begin)), "")
            out.write(Text(out.plain(line), style=style))
        out.write_lines([""])
    out.write_lines([results.summary])


def _document(results: Results) -> dict[str, Any]:
    return {
        "version": 1,
        "ok": not results.failed,
        "passed": len(results.tried) - len(results.failed),
        "failed": len(results.failed),
        "seconds": round(results.seconds, 3),
        "tests": [_test(tried) for tried in results.tried],
    }


def _test(tried: "Tried") -> dict[str, Any]:
    from config.problems import show_path
    from gateway.simulation.report_json import document as simulated
    from gateway.simulation.told_names import called

    began = tried.story.began
    spot = tried.case.spot
    document: dict[str, Any] = {
        "file": str(tried.suite.file),
        "line": spot.line,
        "column": spot.column,
        "name": tried.case.name,
        "ok": not tried.failed,
        "recorded": tried.case.recorded,
        "seconds": round(tried.seconds, 6),
    }
    if tried.failed:
        document["failures"] = [
            {
                "line": failed.spot.line,
                "column": failed.spot.column,
                "path": show_path(failed.spot.path),
                "message": failed.message,
                "reasons": list(failed.reasons),
                "missing": [{"after_s": one.since / 1000, "told": one.name} for one in failed.missing],
                "unwanted": [
                    {"after_s": (one.at - began) / 1000, "told": called(one)} for one in failed.unwanted
                ],
            }
            for failed in tried.failed
        ]
        document["notifications"] = simulated(tried.story)["notifications"]
    return document


def _write_junit(file: Path, results: Results) -> None:
    from gateway.cli.errors import UsageError
    from gateway.simulation.junit import junit

    try:
        file.write_bytes(junit(results.tried))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
