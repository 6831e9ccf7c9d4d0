"""`tocsin check`: is a configuration valid, and where not; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import Output

if TYPE_CHECKING:
    from config.problems import Problem


def check(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A tocsin.yaml."),
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
    """Check a configuration and print all that is wrong with it."""
    from gateway.cli import output as out

    if schema == (file is not None):
        raise typer.BadParameter("give either a file to check or --schema", param_hint="'FILE'")
    if file is None:
        from config.schema import Config

        out.write_json(Config.model_json_schema(by_alias=True))
        return
    problems = _problems(file, without_env=without_env)
    if output == "json":
        out.write_json({"file": str(file), "ok": not problems, "problems": [_fields(p) for p in problems]})
    else:
        for problem in problems:
            out.write_line(problem)
        count = "no problems" if not problems else f"{len(problems)} problem{'s' * (len(problems) > 1)}"
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
