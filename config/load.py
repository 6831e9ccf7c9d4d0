"""A file -> a valid configuration, or all that is wrong with it.

The steps: read the bytes, compose the document and fill in variables (`source.py`), look at each key
(`schema.py`), then at keys together (`rules.py`). Problems of all steps are told together, in the order
of the file. A configuration is accepted or refused as a whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from config.explain import explain
from config.files import text_of
from config.problems import ConfigError, Problem
from config.rules import mistakes
from config.schema import Config
from config.source import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from config.document import Document
    from config.written import Mistake


__all__ = ["ConfigError", "Examined", "Problem", "examine", "load", "load_text"]


def load(path: str | os.PathLike[str], env: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a file. Relative paths in it count from its folder.

    Raises:
        ConfigError: with all problems.
    """
    file = Path(path)
    return load_text(text_of(file, "a tocsin.yaml"), str(file), env, base=file.absolute().parent)


def load_text(
    text: str, name: str, env: Mapping[str, str] = os.environ, *, base: Path | None = None
) -> Config:
    """The configuration in a text; `name` stands in errors, relative paths count from `base`.

    Raises:
        ConfigError: with all problems.
    """
    config, problems = _judged(read(text, name, env), base)
    if problems or config is None:
        raise ConfigError(_once(problems))
    return config


class Examined(NamedTuple):
    """A file as `tocsin check` sees it. Without problems there is a configuration, if it can be told."""

    document: Document | None
    config: Config | None
    problems: tuple[Problem, ...]


def examine(
    path: str | os.PathLike[str], env: Mapping[str, str] = os.environ, *, without_env: bool = False
) -> Examined:
    """The file's document and configuration, or all that is wrong with it.

    With `without_env` the values of some variables are not at hand, as on a laptop: one that is not set is
    no problem, nothing is said of the value that it stands in, and the configuration has the default there.
    """
    file = Path(path)
    try:
        document = read(text_of(file, "a tocsin.yaml"), str(file), env, stand_ins=without_env)
    except ConfigError as error:
        return Examined(None, None, error.problems)
    config, problems = _judged(document, file.absolute().parent)
    return Examined(document, config, ConfigError(_once(problems)).problems if problems else ())


def _judged(document: Document, base: Path | None) -> tuple[Config | None, list[Problem]]:
    """The configuration, unless it is none, and what is wrong with it."""
    data = document.root.plain()
    problems = list(document.problems)
    config: Config | None = None
    try:
        config = Config.model_validate(data, context={"base": base})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        wrong = [
            detail
            for detail in details
            if not (_unknown_yet(detail, document) or _counted_without_wrong_ones(detail, details))
        ]
        problems += [explain(detail, document) for detail in wrong]
        if not wrong:
            config = _without(document.root.plain(), [detail["loc"] for detail in details], base)
    problems += [
        _found(mistake, document)
        for mistake in mistakes(data, document.file)
        if mistake.key or not document.at(mistake.path).stands_in
    ]
    return config, problems


def _counted_without_wrong_ones(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether a list is too short only because pydantic does not count its items that are wrong."""
    at = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(at) and other["loc"][: len(at)] == at for other in details
    )


def _unknown_yet(detail: ErrorDetails, document: Document) -> bool:
    """Whether only the name of a variable without value is wrong there."""
    return detail["type"] != "extra_forbidden" and document.at(detail["loc"]).stands_in


def _without(data: Any, paths: list[tuple[int | str, ...]], base: Path | None) -> Config | None:
    """The configuration without what nobody knows yet; None if it cannot be without."""
    try:
        for path in sorted(set(paths), key=str, reverse=True):  # a list's later items first: none moves
            here = data
            for part in path[:-1]:
                here = here[part]
            del here[path[-1]]
        return Config.model_validate(data, context={"base": base})
    except (ValidationError, LookupError, TypeError):
        return None


def _found(mistake: Mistake, document: Document) -> Problem:
    """A mistake against the rules, with a variable's name where its value would be shown."""
    node = document.at(mistake.path, key=mistake.key)
    message = mistake.message
    if node.filled_in:
        message = mistake.unquoted or message.replace(repr(node.text), repr(node.written))
    return document.problem(mistake.path, message, key=mistake.key, offset=mistake.offset)


def _once(problems: list[Problem]) -> list[Problem]:
    """The first problem of each place: what follows from it is left out."""
    first: dict[tuple[int, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.line, problem.path), problem)
    return list(first.values())
