"""Files that `tocsin check` reads beside a configuration: rule files, and the alertmanager.yml in front."""

from __future__ import annotations

import re
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer

from config.alertmanager import Front, load_front
from config.findings.alerts import Alerts
from config.findings.told import Told, Way, told
from config.problems import ConfigError, Problem
from config.rule_files import load_rules
from gateway.cli import output as out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.findings.subject import Subject

MAX_WAYS: Final = 5  # routes that a row of the table names

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GROUPS: Final = re.compile(r"^(groups\s*:|kind\s*:\s*PrometheusRule\b)", re.MULTILINE)
_ROUTE: Final = re.compile(r"^route\s*:", re.MULTILINE)


class Beside(NamedTuple):
    """What was read. Of files with problems nothing is used."""

    alerts: Alerts | None
    front: Front | None
    problems: dict[Path, tuple[Problem, ...]]


def read(
    rules: Sequence[Path],
    external: Mapping[str, str | None],
    alertmanager: Path | None,
    receivers: Sequence[str],
) -> Beside:
    """The alerts of the rule files, with what Prometheus adds to them, and the Alertmanager in front."""
    problems: dict[Path, tuple[Problem, ...]] = {}
    alerts = front = None
    if rules:
        try:
            alerts = Alerts(load_rules(rules), external)
        except ConfigError as error:
            for problem in error.problems:
                file = Path(problem.file)
                problems[file] = (*problems.get(file, ()), problem)
    if alertmanager:
        try:
            front = load_front(alertmanager, tuple(receivers))
        except ConfigError as error:
            problems[alertmanager] = error.problems
    return Beside(alerts, front, problems)


def rule_files(patterns: Sequence[str], files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The rule files that patterns name, and what of `files` is left: the configurations.

    A shell makes `--rules a.yml b.yml` of `--rules *.yml`, so that b.yml arrives as one of `files`; what has
    rules in it and no route is taken for a rule file.

    Raises:
        typer.BadParameter: a pattern fits no file.
    """
    rules: list[Path] = []
    for pattern in patterns:
        # An absolute pattern is not for Path.glob.
        found = [pattern] if Path(pattern).exists() else sorted(glob(pattern, recursive=True))  # noqa: PTH207
        if not found:
            raise typer.BadParameter(f"there is no file {pattern!r}", param_hint="'--rules'")
        rules += map(Path, found)
    if not patterns:
        return [], list(files)
    more = [file for file in files if _has_rules(file)]
    return list(dict.fromkeys(rules + more)), [file for file in files if file not in more]


def _has_rules(file: Path) -> bool:
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return False
    return bool(_GROUPS.search(text)) and not _ROUTE.search(text)


def external_labels(texts: Iterable[str]) -> dict[str, str | None]:
    """`NAME=VALUE` or `NAME` for a value that is not known.

    Raises:
        typer.BadParameter: no label.
    """
    labels: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not _LABEL.fullmatch(name):
            raise typer.BadParameter(
                f"{text!r} is no label; expected NAME=VALUE, or NAME alone", param_hint="'--external-label'"
            )
        labels[name] = value if equals else None
    return labels


# --- who would be told ---------------------------------------------------------------------------------


def write_told(subject: Subject) -> None:
    """A table: each alert, how bad it is, whose, and who is told at once."""
    titles = [out.Column(title) for title in ("ALERT", "SEVERITY", "TEAM", "TOLD AT ONCE")]
    rows = [
        (
            one.alert.name,
            out.word("?" if one.severity is None else one.severity),
            _shown(one.team),
            _ways(one),
        )
        for one in told(subject)
    ]
    if rows:
        out.write_table(titles, rows)


def _shown(team: str | None) -> str:
    return "?" if team is None else team or "-"


def _ways(one: Told) -> str:
    shown = [("" if way.certain else "perhaps ") + _way(way) for way in one.ways[:MAX_WAYS]]
    if len(one.ways) > MAX_WAYS:
        shown.append(f"perhaps {len(one.ways) - MAX_WAYS} more")
    return "; ".join(shown)


def _way(way: Way) -> str:
    route = way.route.route
    return f"{route.policy}: {', '.join(way.who)}" if route.policy else ", ".join(way.who)


def told_document(file: Path, subject: Subject) -> list[Mapping[str, Any]]:
    """The same for programs, with the labels that are known."""
    return [
        {
            "config": str(file),
            "alert": one.alert.name,
            "file": one.alert.rule.file,
            "line": one.alert.rule.line,
            "labels": one.alert.known(),
            "severity": one.severity,
            "team": one.team,
            "routes": [
                {
                    "route": way.route.route.key,
                    "receiver": way.route.route.receiver or None,
                    "policy": way.route.route.policy or None,
                    "told": list(way.who),
                    "certain": way.certain,
                }
                for way in one.ways
            ],
        }
        for one in told(subject)
    ]
