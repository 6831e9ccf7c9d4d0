"""`tocsin test --init` and `--update`: what is, written into a file of routing tests."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from config.findings.alerts import Alerts
from config.findings.subject import Subject
from config.problems import ConfigError
from config.rule_files import load_rules
from gateway.cli import beside
from gateway.cli import output as out
from gateway.cli.configured import configured, refused
from gateway.cli.errors import CommandError, UsageError
from gateway.cli.whole_files import exists, write_whole
from gateway.simulation.accepting import accepted
from gateway.simulation.first_tests import FirstTests, lines
from gateway.simulation.run import LONGEST, simulate
from gateway.simulation.test_reader import MONDAY, read_suite
from gateway.simulation.testing import Loaded, happenings, run
from routing.calendar import HORIZON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.simulation.planned import Planned
    from gateway.simulation.test_file import Case, Suite
    from gateway.simulation.testing import Tried
    from routing.story import Story

STDOUT: Final = "-"


# --- a first file ----------------------------------------------------------------------------------------


def init(config: Path, rules: Sequence[str], files: Sequence[Path], to: str, *, force: bool) -> None:
    """Writes a first file of tests of a configuration; `files` are what a shell made of `rules` besides.

    Raises:
        CommandError, typer.BadParameter: nothing is written.
    """
    rule_files, strange = beside.rule_files(rules, files)
    if strange:
        message = f"{strange[0]} stands beside --init; expected only the configuration, and rule files"
        raise typer.BadParameter(message, param_hint="'FILE'")
    target = Path(to or f"{config.with_suffix('')}.tests.yaml")
    if to != STDOUT and target.exists() and not force:
        raise exists(target)
    monday = _next_monday()
    found = configured(config, min(MONDAY, monday), monday + HORIZON + LONGEST)
    at = monday if found.config.schedules else None
    text, count = _first_tests(found, _alerts(rule_files), config, target, at)
    if to == STDOUT:
        out.write_lines(text.splitlines())
    else:
        write_whole(target, text, over=force)
        what = f"{count} recorded test{'s' * (count != 1)}"
        out.say(f"{target}: {what}. Read them, and run them with: tocsin test {target}")


def _alerts(rule_files: Sequence[Path]) -> Alerts | None:
    if not rule_files:
        return None
    try:
        alerts = Alerts(load_rules(rule_files))
    except ConfigError as error:
        raise refused("what --rules names", error) from None
    if not alerts.all:
        raise UsageError(
            f"no alerting rule stands in {', '.join(map(str, rule_files))}; expected alert: in it"
        )
    return alerts


def _first_tests(
    found: Planned, alerts: Alerts | None, config: Path, target: Path, at: int | None
) -> tuple[str, int]:
    """The text of the file, and how many tests are in it: all of them pass."""
    subject = Subject(found.document, found.config, without_env=True, alerts=alerts)
    begins = MONDAY if at is None else at
    tests = FirstTests(subject, found.plan, lambda case: _story(found, case), begins)
    relative = os.path.relpath(config.resolve(), target.resolve().parent)
    text = "\n".join(lines(tests, relative, target.name, at)) + "\n"
    suite = read_suite(text, target)
    if wrong := [tried.case.name for tried in _run(suite, found, suite.cases) if tried.failed]:
        raise CommandError(
            f"these tests would not pass, so nothing is written: {', '.join(wrong[:5])}",
            "This is a mistake in Tocsin, not in the configuration: please report it.",
        )
    return text, len(suite.cases)


def _story(found: Planned, case: Case) -> Story:
    until = None if case.until is None else case.at + case.until
    return simulate(found.plan, happenings(case), began=case.at, until=until)


def _run(suite: Suite, found: Planned, cases: Sequence[Case]) -> list[Tried]:
    loaded = Loaded((suite,), {suite.config: found})
    return list(run(loaded, [(suite, case) for case in cases]))


def _next_monday() -> int:
    """The next Monday at 12:00 UTC, ms: those on call change, so what is tested should not be long ago."""
    today = datetime.fromtimestamp(time.time(), UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=7 - today.weekday())).timestamp()) * 1000


# --- what is accepted ------------------------------------------------------------------------------------


def update(loaded: Loaded, failed: Sequence[Tried]) -> dict[tuple[Path, str], Tried]:
    """Writes what is into the files of tests that failed. Those that now pass, by file and name, run anew.

    Raises:
        CommandError: a file cannot be written.
    """
    passed: dict[tuple[Path, str], Tried] = {}
    for suite in loaded.suites:
        own = [tried for tried in failed if tried.suite is suite]
        if own:
            passed |= _update(suite, loaded.plan_of(suite), own)
    return passed


def _update(suite: Suite, found: Planned, failed: list[Tried]) -> dict[tuple[Path, str], Tried]:
    """One file. A test that would fail as it is written anew is left as it was."""
    text = suite.file.read_bytes().decode()
    left: dict[str, str] = {}
    again: list[Tried] = []
    new = text
    while wanted := [tried for tried in failed if tried.case.name not in left]:
        new, more = accepted(text, wanted, found.plan)
        left |= more
        names = {tried.case.name for tried in wanted} - more.keys()
        read = read_suite(new, suite.file)
        again = _run(read, found, [case for case in read.cases if case.name in names])
        broken = [tried.case.name for tried in again if tried.failed]
        if not broken:
            break
        left |= dict.fromkeys(broken, "it would still fail; change it by hand")
    else:
        again = []
    if again:
        write_whole(suite.file, new, over=True)
        out.say(
            f"{suite.file}: {len(again)} test{'s' * (len(again) > 1)} changed to what is, marked recorded:"
        )
        for tried in again:
            out.say(f"  {tried.case.name}")
    for name, reason in left.items():
        out.say(f"{suite.file}: {name} is left as it is: {reason}")
    return {(suite.file, tried.case.name): tried for tried in again}
