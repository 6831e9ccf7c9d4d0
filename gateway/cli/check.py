"""`tocsin check`: are configurations valid, and will they do what is meant; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.findings.check import Check
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Problem
    from gateway.cli.beside import Beside


class Checked(NamedTuple):
    """What was found in one file. Where there are problems, it was not looked for more."""

    problems: "tuple[Problem, ...]"
    findings: "tuple[Finding, ...]" = ()
    subject: "Subject | None" = None


def check(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="One tocsin.yaml or several."
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of configurations instead, for editors.")
    ] = False,
    explain: Annotated[
        str,
        typer.Option(
            "--explain", metavar="CODE", show_default=False, help="Print the page of a finding, TOC101."
        ),
    ] = "",
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="CODES", help="Only these findings: TOC101, or TOC1 for all that begin so."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODES", help="Not these findings; the longer choice counts."),
    ] = None,
    without_env: Annotated[
        bool,
        typer.Option(
            "--without-env",
            help="Where secrets are not at hand: a ${VAR} that is not set is no problem, all else is.",
        ),
    ] = False,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILES",
            help="Prometheus' rule files: judge by the alerts that there are, and show who is told.",
        ),
    ] = None,
    external_label: Annotated[
        list[str] | None,
        typer.Option(
            "--external-label",
            metavar="NAME=VALUE",
            help="A label that Prometheus' external_labels add to every alert of the rules.",
        ),
    ] = None,
    alertmanager: Annotated[
        Path | None,
        typer.Option(
            "--alertmanager",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The alertmanager.yml in front: what in it delays, hides or cuts off alerts.",
        ),
    ] = None,
    tocsin_receiver: Annotated[
        list[str] | None,
        typer.Option(
            "--tocsin-receiver",
            metavar="NAME",
            help="Its receiver that leads to Tocsin, if the path /webhook does not tell.",
        ),
    ] = None,
    output: Annotated[
        Literal["text", "json", "sarif"],
        typer.Option(
            "--output", "-o", metavar="text|json|sarif", help="For people, for programs, for code hosts."
        ),
    ] = "text",
) -> None:
    """Check configurations: is anything wrong, or not as meant?

    Exits 1 where there is a problem, an error or a warning; information alone is no failure.
    """
    if bool(files) + schema + bool(explain) != 1:
        raise typer.BadParameter("give either a file to check, --schema or --explain", param_hint="'FILE'")
    if schema:
        _print_schema()
    elif explain:
        _print_page(explain)
    else:
        from gateway.cli import beside as extra

        checks = _wanted(select or [], ignore or [])
        rule_files, configs = extra.rule_files(rules or [], files or [])
        if not configs:
            raise typer.BadParameter("expected a tocsin.yaml beside the rule files", param_hint="'FILE'")
        if external_label and not rule_files:
            raise typer.BadParameter("says nothing without --rules", param_hint="'--external-label'")
        if tocsin_receiver and not alertmanager:
            raise typer.BadParameter("says nothing without --alertmanager", param_hint="'--tocsin-receiver'")
        external = extra.external_labels(external_label or [])
        beside = extra.read(rule_files, external, alertmanager, tocsin_receiver or [])
        found = {file: Checked(problems) for file, problems in beside.problems.items()}
        found |= {file: _checked(file, checks, beside, without_env=without_env) for file in configs}
        _print(found, checks, output)
        if any(one.problems or any(finding.fails for finding in one.findings) for one in found.values()):
            raise typer.Exit(1)


def _print_schema() -> None:
    from config.schema import json_schema
    from gateway.cli import output as out

    out.write_json(json_schema())


def _print_page(code: str) -> None:
    from config.findings.pages import page
    from config.problems import did_you_mean
    from gateway.cli import output as out
    from gateway.cli.findings import CODES

    if code.upper() not in CODES:
        hint = did_you_mean(code.upper(), CODES) or "; docs/findings lists all"
        raise typer.BadParameter(f"no finding has the code {code!r}{hint}", param_hint="'--explain'")
    out.write_lines(page(CODES[code.upper()]).splitlines())


def _wanted(select: "Sequence[str]", ignore: "Sequence[str]") -> "tuple[Check, ...]":
    from config.findings.select import chosen
    from gateway.cli.findings import CHECKS

    try:
        return chosen(CHECKS, select, ignore)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--select' / '--ignore'") from None


def _checked(file: Path, checks: "tuple[Check, ...]", beside: "Beside", *, without_env: bool) -> Checked:
    from config.findings.check import run
    from config.findings.subject import Subject
    from config.load import examine

    document, config, problems = examine(file, without_env=without_env)
    if problems or document is None or config is None:
        return Checked(problems)
    subject = Subject(
        document,
        config,
        without_env=without_env,
        now=int(time.time() * 1_000),
        alerts=beside.alerts,
        front=beside.front,
    )
    return Checked((), run(checks, subject), subject)


# --- what is printed -----------------------------------------------------------------------------------


def _print(found: dict[Path, Checked], checks: "tuple[Check, ...]", output: str) -> None:
    from gateway.cli import beside
    from gateway.cli import output as out

    problems = [problem for one in found.values() for problem in one.problems]
    findings = [finding for one in found.values() for finding in one.findings]
    if output == "sarif":
        from gateway.cli import sarif

        out.write_json(sarif.log([check.code for check in checks], problems, findings))
    elif output == "json":
        judged = [(file, one.subject) for file, one in found.items() if one.subject and one.subject.alerts]
        told = [alert for file, subject in judged for alert in beside.told_document(file, subject)]
        out.write_json(
            {
                "files": [str(file) for file in found],
                "ok": not problems and not any(finding.fails for finding in findings),
                "problems": [_place(problem) | {"message": problem.message} for problem in problems],
                "findings": [_fields(finding) for finding in findings],
            }
            | ({"alerts": told} if judged else {})
        )
    else:
        for problem in problems:
            out.write_line(problem)
        for finding in findings:
            out.write_line(finding)
            out.write_lines([f"    {out.plain(finding.advice)}"])
        for one in found.values():
            if one.subject:
                beside.write_told(one.subject)
        for file, one in found.items():
            out.say(f"{file}: {_count(one)}")


def _count(one: Checked) -> str:
    if not one.problems and not one.findings:
        return "no problems"
    severities = [finding.code.severity for finding in one.findings]
    counts = {"problem": len(one.problems), "error": severities.count("error")}
    counts |= {"warning": severities.count("warning")}
    parts = [f"{count} {word}{'s' * (count > 1)}" for word, count in counts.items() if count]
    if remarks := severities.count("info"):
        parts.append(f"{remarks} for information")
    return ", ".join(parts)


def _fields(finding: "Finding") -> dict[str, Any]:
    return {
        "code": finding.id,
        "name": finding.code.name,
        "severity": finding.code.severity,
        **_place(finding),
        "reason": finding.reason,
        "advice": finding.advice,
    }


def _place(one: "Problem | Finding") -> dict[str, Any]:
    return {"file": str(one.file), "line": one.line, "column": one.column, "path": one.path}
