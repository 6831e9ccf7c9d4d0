"""`tocsin test`: routing tests, as people write them for alerting rules; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.simulation.coverage import Coverage
    from gateway.simulation.test_file import Case, Suite
    from gateway.simulation.testing import Loaded, Tried


@dataclass
class Results:
    """What came of a run. `seconds`: reading the files included."""

    loaded: "Loaded"
    tried: "list[Tried]" = field(default_factory=list)
    seconds: float = 0.0
    coverage: "list[Coverage]" = field(default_factory=list)

    def replace(self, anew: "Mapping[tuple[Path, str], Tried]") -> None:
        """Puts tests that were run anew, by file and name, in place of those that failed."""
        self.tried = [anew.get((one.suite.file, one.case.name), one) for one in self.tried]

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
        list[Path] | None,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="Files of routing tests."
        ),
    ] = None,
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
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Say which parts of the configuration no test reached, too."),
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under",
            metavar="PERCENT",
            min=0,
            max=100,
            help="--coverage, and exit 1 where fewer parts are asserted; recorded tests assert nothing.",
        ),
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Write into the files what is, where a test fails, marked recorded."),
    ] = False,
    init: Annotated[
        Path | None,
        typer.Option(
            "--init",
            metavar="CONFIG",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Write a first file of tests of a tocsin.yaml instead: what it does, marked recorded.",
        ),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILES", help="With --init: a test for each alert of rule files."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FILE",
            show_default=False,
            help="With --init: the file, - for stdout; not given, beside CONFIG, as tocsin.tests.yaml.",
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="With --init: write over a file that is there.")
    ] = False,
    output: Output = "text",
) -> None:
    """Run routing tests: who is told of which alerts, and when?

    Exits 1 where a test fails or too little is covered, 2 where a file cannot be used.
    """
    if init:
        beside = {"--name": name, "--junit": junit, "--coverage": coverage, "--update": update}
        _alone("--init", beside | {"--fail-under": fail_under is not None, "--output": output != "text"})
        from gateway.cli import test_writing

        test_writing.init(init, rules or [], files or [], to, force=force)
        return
    _only_with("--init", {"--rules": rules, "--to": to, "--force": force})
    if not files:
        raise typer.BadParameter("expected a file of routing tests", param_hint="'FILE'")
    results = _run(files, name)
    if update:
        from gateway.cli import test_writing

        results.replace(test_writing.update(results.loaded, results.failed))
    if coverage or fail_under is not None:
        from gateway.cli import test_coverage

        results.coverage = test_coverage.coverage_of(results.loaded, results.tried)
    if junit:
        _write_junit(junit, results)
    if output == "json":
        from gateway.cli import output as out

        out.write_json(_document(results))
    else:
        _write(results)
    if results.failed or (fail_under is not None and not _enough(results, fail_under)):
        raise typer.Exit(1)


def _enough(results: Results, percent: float) -> bool:
    from gateway.cli import output as out
    from gateway.cli import test_coverage

    enough = test_coverage.enough(results.coverage, percent)
    if not enough:
        out.say(f"fewer than {percent:g} % are asserted (--fail-under)")
    return enough


def _alone(option: str, others: "Mapping[str, object]") -> None:
    for other, given in others.items():
        if given:
            raise typer.BadParameter(f"cannot stand beside {option}", param_hint=f"'{other}'")


def _only_with(option: str, others: "Mapping[str, object]") -> None:
    for other, given in others.items():
        if given:
            raise typer.BadParameter(f"says nothing without {option}", param_hint=f"'{other}'")


# --- running --------------------------------------------------------------------------------------------


def _run(files: "Sequence[Path]", name: str) -> Results:
    import gc
    from time import perf_counter

    from gateway.simulation.testing import run

    before = perf_counter()
    loaded = _loaded(files)
    wanted = list(_wanted(loaded, name))
    if not wanted:
        raise typer.BadParameter(f"no test has {name!r} in its name", param_hint="'--name'")
    results = Results(loaded)
    gc.freeze()  # what was loaded stays: the collector need not look through it after every few tests
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
    if results.coverage:
        from gateway.cli import test_coverage

        test_coverage.write(results.coverage)


def _document(results: Results) -> dict[str, Any]:
    from gateway.cli import test_coverage

    return {
        "version": 1,
        "ok": not results.failed,
        "passed": len(results.tried) - len(results.failed),
        "failed": len(results.failed),
        "seconds": round(results.seconds, 3),
        "tests": [_test(tried) for tried in results.tried],
    } | test_coverage.document(results.coverage)


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
