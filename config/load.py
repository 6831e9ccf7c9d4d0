"""A file -> a valid configuration, or all that is wrong with it.

The steps: read the bytes, compose the document and fill in variables (`source.py`), look at each key
(`schema.py`), then at keys together (`rules.py`). Problems of all steps are told together, in the order
of the file. A configuration is accepted or refused as a whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from config.explain import explain
from config.files import text_of
from config.problems import ConfigError, Problem
from config.rules import Finding, findings
from config.schema import Config
from config.source import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.document import Document


__all__ = ["ConfigError", "Problem", "load", "load_text", "problems_without_env"]


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


def problems_without_env(
    path: str | os.PathLike[str], env: Mapping[str, str] = os.environ
) -> tuple[Problem, ...]:
    """All that is wrong with a file where the values of some variables are not at hand, as on a laptop.

    A variable that is not set is no problem, and nothing is said of the value that it stands in.
    """
    file = Path(path)
    try:
        document = read(text_of(file, "a tocsin.yaml"), str(file), env, stand_ins=True)
    except ConfigError as error:
        return error.problems
    _, problems = _judged(document, file.absolute().parent)
    return ConfigError(_once(problems)).problems if problems else ()


def _judged(document: Document, base: Path | None) -> tuple[Config | None, list[Problem]]:
    """The configuration, unless it is none, and what is wrong with it."""
    data = document.root.plain()
    problems = list(document.problems)
    config: Config | None = None
    try:
        config = Config.model_validate(data, context={"base": base})
    except ValidationError as error:
        problems += [
            explain(detail, document)
            for detail in error.errors(include_url=False, include_input=False)
            if detail["type"] == "extra_forbidden" or not document.at(detail["loc"]).stands_in
        ]
    problems += [
        _found(finding, document)
        for finding in findings(data, document.file)
        if finding.key or not document.at(finding.path).stands_in
    ]
    return config, problems


def _found(finding: Finding, document: Document) -> Problem:
    """A finding of the rules, with a variable's name where its value would be shown."""
    node = document.at(finding.path, key=finding.key)
    message = finding.message
    if node.filled_in:
        message = finding.unquoted or message.replace(repr(node.text), repr(node.written))
    return document.problem(finding.path, message, key=finding.key, offset=finding.offset)


def _once(problems: list[Problem]) -> list[Problem]:
    """The first problem of each place: what follows from it is left out."""
    first: dict[tuple[int, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.line, problem.path), problem)
    return list(first.values())
