"""The same for each of several things that are named on the command line: what is refused stops no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import typer

from gateway.cli import output as out
from gateway.cli.client import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from gateway.cli.client import Answer
    from gateway.cli.options import Format


def each(
    ids: Iterable[str],
    act: Callable[[str], Answer],
    *,
    refused: Container[int],
    done: str | Callable[[Mapping[str, Any]], str],
    key: str,
    output: Format,
    sign: str = "",
) -> None:
    """Calls `act` with each id, ready for an address, and says for each that it is `done`, or why not.

    `done` may make a whole line of what was answered; `sign` stands before an id. `refused` are the answers
    that concern one id alone; others end the command. JSON has what was answered under `key`.

    Raises:
        typer.Exit: 1, after all, where one was refused.
    """
    answers: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for identity in dict.fromkeys(ids):
        try:
            answer = act(quote(identity, safe="")).body
        except ProblemError as error:
            if error.status not in refused:
                raise
            problems.append({"id": identity, **error.problem})
            out.say(f"{sign}{identity}: {error.message}")
        else:
            answers.append(answer)
            if output == "text":
                out.write_line(f"{sign}{identity}: {done}" if isinstance(done, str) else done(answer))
    if output == "json":
        out.write_json({key: answers, "problems": problems})
    if problems:
        raise typer.Exit(1)
