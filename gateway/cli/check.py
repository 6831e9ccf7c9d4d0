"""`tocsin check`: are configurations valid, and where not; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import Output

if TYPE_CHECKING:
    from config.problems import Problem


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
    without_env: Annotated[
        bool,
        typer.Option(
            "--without-env",
            help="Where secrets are not at hand: a ${VAR} that is not set is no problem, all else is.",
        ),
    ] = False,
    output: Output = "text",
) -> None:
    """Check configurations and print all that is wrong with them."""
    from gateway.cli import output as out

    if schema == bool(files):
        raise typer.BadParameter("give either a file to check or --schema", param_hint="'FILE'")
    if not files:
        from config.schema import Config

        out.write_json(Config.model_json_schema(by_alias=True))
        return
    found = {file: _problems(file, without_env=without_env) for file in files}
    problems = [problem for of_one in found.values() for problem in of_one]
    if output == "json":
        names = [str(file) for file in found]
        out.write_json({"files": names, "ok": not problems, "problems": [_fields(p) for p in problems]})
    else:
        for problem in problems:
            out.write_line(problem)
        for file, of_one in found.items():
            count = f"{len(of_one)} problem{'s' * (len(of_one) > 1)}" if of_one else "no problems"
            out.say(f"{file}: {count}")
    if problems:
        raise typer.Exit(1)


def _problems(file: Path, *, without_env: bool) -> "tuple[Problem, ...]":
    from config.compile import compile_plan
    from config.load import load, problems_without_env
    from config.problems import ConfigError

    if without_env:
        return problems_without_env(file)
    try:
        compile_plan(load(file))
    except ConfigError as error:
        return error.problems
    return ()


def _fields(problem: "Problem") -> dict[str, Any]:
    return {
        "file": str(problem.file),
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    }
