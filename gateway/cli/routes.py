"""`tocsin routes`: what the routing tree looks like, and where an alert would go; needs no running server."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.options import Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from config.compile import Plan
    from routing.tree import Route

app = typer.Typer(help="See the routing tree, and where an alert would go.")

MAX_LINE = 1_048_576  # bytes of one label set in a batch

Drawing = Literal["text", "json", "dot", "mermaid"]

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config", metavar="FILE", exists=True, dir_okay=False, readable=True, help="A tocsin.yaml."
    ),
]
Labels = Annotated[list[str] | None, typer.Argument(metavar="LABEL=VALUE...", help="The labels of an alert.")]


@app.command("show")
def show_routes(
    *,
    labels: Labels = None,
    config: ConfigFile,
    output: Annotated[
        Drawing,
        typer.Option(
            "--output", "-o", metavar="text|json|dot|mermaid", help="For people, programs, or drawings."
        ),
    ] = "text",
) -> None:
    """Show all routes, and mark the way of an alert."""
    from gateway.cli import drawings
    from gateway.cli import output as out
    from routing.explain import explain

    alert = labels_of(labels) if labels else None
    root = plan_of(config).root
    visits = explain(root, alert) if alert is not None else ()
    if output == "text":
        drawings.write_tree(root, visits)
    elif output == "json":
        out.write_json(drawings.document(root, visits))
    elif output == "dot":
        out.write_lines(drawings.dot(root, visits))
    else:
        out.write_lines(drawings.mermaid(root, visits))


@app.command("test")
def try_labels(
    *,
    labels: Labels = None,
    config: ConfigFile,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say of each route that was asked why it takes the alert or not."),
    ] = False,
    expected: Annotated[
        str,
        typer.Option("--verify.receivers", metavar="A,B", help="Exit with 1 unless exactly these, in order."),
    ] = "",
    batch: Annotated[
        str,
        typer.Option(
            "--batch",
            metavar="FILE.jsonl",
            help="Read a JSON object of labels from each line (- is stdin), answer each with a line of JSON.",
        ),
    ] = "",
    output: Output = "text",
) -> None:
    """Print who is told of an alert, as amtool does."""
    from gateway.cli import drawings
    from gateway.cli import output as out
    from routing.explain import explain as visit
    from routing.tree import Tree

    if batch and (labels or explain or expected):
        raise typer.BadParameter(
            "takes label sets from the file; expected no labels, --explain or --verify.receivers beside it",
            param_hint="'--batch'",
        )
    if batch:
        _answer_all(plan_of(config), batch)
        return
    alert = labels_of(labels or [])
    plan = plan_of(config)
    beaten = plan.heartbeats.beaten_by(alert)
    routes = () if beaten else Tree(plan.root).match(alert)
    visits = visit(plan.root, alert) if explain else ()
    receivers = ",".join(route.told for route in routes)
    if output == "json":
        explanation = {"explanation": drawings.reasons(visits, alert, plan)} if explain else {}
        out.write_json(_answer(routes) | explanation)
    else:
        if explain:
            drawings.write_reasons(visits, alert, plan)
        out.write_line(receivers)
    if beaten:
        out.say(f"It is a beat of {', '.join(beaten)} (heartbeats): no route takes it, and nobody is told.")
    if expected and expected != receivers:
        out.say(f"expected the receivers {expected}, but the alert goes to {receivers}")
        raise typer.Exit(1)


def plan_of(file: Path) -> "Plan":
    """The plan of a configuration file; what is wrong with it ends the command."""
    from config.compile import compile_plan
    from config.load import load
    from config.problems import ConfigError
    from gateway.cli.errors import CommandError

    try:
        return compile_plan(load(file))
    except ConfigError as error:
        count = len(error.problems)
        problems = "\n".join(map(str, error.problems[:20]))
        raise CommandError(f"{file} has {count} problem{'s' * (count > 1)}", problems) from None


def labels_of(arguments: "Iterable[str]") -> dict[str, str]:
    """The labels, read as amtool reads them; of two for one name the last counts.

    Raises:
        typer.BadParameter: one is no label.
    """
    from routing.matchers import MatcherError, parse_matcher

    alert: dict[str, str] = {}
    for argument in arguments:
        try:
            matcher = parse_matcher(argument)
        except MatcherError as error:
            raise typer.BadParameter(f"{argument!r}: {error}", param_hint="'LABEL=VALUE...'") from None
        if matcher.op != "=":
            raise typer.BadParameter(
                f"{argument!r} is a condition; expected a label, name=value", param_hint="'LABEL=VALUE...'"
            )
        alert[matcher.name] = matcher.value
    return alert


def _answer(routes: "tuple[Route, ...]") -> dict[str, object]:
    """Muting changes nothing of it: a route that is quiet takes the alert all the same."""
    return {
        "receivers": [route.receiver for route in routes if not route.policy],
        "policies": [route.policy for route in routes if route.policy],
        "routes": [route.key for route in routes],
    }


# --- many at once --------------------------------------------------------------------------------------


def _answer_all(plan: "Plan", source: str) -> None:
    """One line of JSON for each line, in order; whoever asks line by line is answered line by line."""
    import json

    from gateway.cli import output as out
    from routing.tree import Tree

    tree = Tree(plan.root)
    known: dict[tuple[str, ...], str] = {}  # routes -> their line
    for labels in _label_sets(source):
        routes = () if plan.heartbeats.beaten_by(labels) else tree.match(labels)
        keys = tuple(route.key for route in routes)
        if keys not in known:
            known[keys] = json.dumps(_answer(routes))
        out.write_lines([known[keys]])
        if source == "-":
            sys.stdout.flush()


def _label_sets(source: str) -> "Iterator[dict[str, str]]":
    from gateway.cli.errors import CommandError

    name = "stdin" if source == "-" else source
    try:
        with _opened(source) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b""), 1):
                yield _label_set(line, f"{name}:{number}")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from None


def _opened(source: str) -> "BinaryIO":
    return Path(source).open("rb") if source != "-" else sys.stdin.buffer


def _label_set(line: bytes, where: str) -> dict[str, str]:
    import orjson

    from gateway.cli.errors import CommandError

    expected = 'one JSON object of labels, such as {"alertname": "DiskFull", "severity": "high"}'
    if len(line) > MAX_LINE:
        raise CommandError(f"{where}: longer than {MAX_LINE} bytes; expected {expected}")
    try:
        labels = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{where}: not JSON ({error}); expected {expected}") from None
    if not isinstance(labels, dict):
        raise CommandError(f"{where}: no object; expected {expected}")
    for label, value in labels.items():
        if not isinstance(value, str):
            raise CommandError(f"{where}: the value of {label!r} is no text; expected {expected}")
    return labels
