"""`tocsin diff`: what a change of the configuration does for people; needs no server and sends nothing."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.rule_files import AlertRule
    from gateway.simulation.diff_report import Report
    from gateway.simulation.planned import Planned
    from gateway.simulation.summary import Summary

DAYS_OF_CALENDARS = 8  # a simulated alert fires at most for seven


def diff(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="OLD NEW", exists=True, dir_okay=False, readable=True, help="Two configurations."
        ),
    ],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILES", help="Prometheus' rule files: name the alerts concerned."),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Recorded alerts (tocsin record): count those concerned, and who is paged how often.",
        ),
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TIME", help="When alerts fire, such as 2026-12-24T03:00.", show_default="now"
        ),
    ] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="By which clock --at is read.")] = "UTC",
    fail_on: Annotated[
        Literal["any", "lost"],
        typer.Option(
            "--fail-on",
            metavar="any|lost",
            help="Exit with 1 on any difference, or only where somebody is told no longer, by any way.",
        ),
    ] = "any",
    output: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option(
            "--output", "-o", metavar="text|json|markdown", help="For people, programs, a merge request."
        ),
    ] = "text",
) -> None:
    """Tell what a change does: who is told later, or no longer.

    Every kind of alert that the two treat differently is simulated by both, as it fires unanswered. Exits 1
    if there is a difference.
    """
    from config.problems import ConfigError
    from config.rule_files import load_rules
    from gateway.cli.beside import rule_files
    from gateway.cli.configured import configured, refused
    from gateway.cli.errors import UsageError
    from gateway.simulation.replay import ReplayError

    rule_paths, configs = rule_files(rules or [], files)
    if len(configs) != 2:
        raise UsageError(
            f"{len(configs)} configuration{'s' * (len(configs) != 1)} given; expected two, the old one and "
            "the new one",
            "For instance: tocsin diff tocsin.yaml changed.yaml",
        )
    when = _moment(at, zone)
    try:
        known = load_rules(rule_paths)
    except ConfigError as error:
        raise refused(error.problems[0].file, error) from None
    until = when + DAYS_OF_CALENDARS * 86_400_000
    both = [configured(file, when, until) for file in configs]
    try:
        report = _report(configs, both, when, known if rule_paths else None, history)
    except ReplayError as error:
        raise UsageError(str(error)) from None
    _print(report, output)
    if report.lost if fail_on == "lost" else report.found.groups:
        raise typer.Exit(1)


def _moment(at: str, zone: str) -> int:
    from gateway.cli.errors import UsageError
    from gateway.simulation.times import TimeError, moment, place

    option = "--zone"
    try:
        zone, option = place(zone), "--at"
        now = time.time_ns() // 1_000_000_000 * 1000
        return now if at in ("", "now") else moment(at, zone)
    except TimeError as error:
        raise UsageError(f"{option}: {error}") from None


def _report(
    files: "Sequence[Path]",
    both: "Sequence[Planned]",
    at: int,
    rules: "Sequence[AlertRule] | None",
    history: Path | None,
) -> "Report":
    from gateway.simulation.affected import Affected, of_recording, of_rules
    from gateway.simulation.diff_report import Report
    from gateway.simulation.differences import differences
    from gateway.simulation.replay import happenings

    old, new = (one.plan for one in both)
    recorded = of_recording(happenings(history)) if history else ()
    found = differences(old, new, at, chain(of_rules(rules or ()), recorded))
    affected = Affected()
    affected.add_rules(found.groups, rules or ())
    if history:
        affected.add_recorded(found.groups, happenings(history))
    return Report(
        (str(files[0]), str(files[1])),
        found,
        affected,
        rules is not None,
        _summaries(both, history) if history else None,
        _timed(both[0]) != _timed(both[1]),
    )


def _summaries(both: "Sequence[Planned]", history: Path) -> "tuple[Summary, Summary]":
    from gateway.simulation.replay import happenings
    from gateway.simulation.summary import of

    old, new = (of(one.plan, happenings(history)) for one in both)
    return old, new


def _timed(one: "Planned") -> tuple[object, ...]:
    """What of a configuration says something else at another time."""
    return one.config.schedules, {*one.config.time_intervals}, {*one.config.mute_time_intervals}


def _print(report: "Report", output: str) -> None:
    from gateway.cli import output as out
    from gateway.simulation import diff_report

    if output == "json":
        out.write_json(diff_report.document(report))
        return
    lines: Iterator[str] = diff_report.text(report) if output == "text" else diff_report.markdown(report)
    out.write_lines(out.plain(line, out.UNBOUNDED) for line in lines)
