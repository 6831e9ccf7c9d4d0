"""Problems and findings as SARIF 2.1.0, the form in which code hosts take what a checker found.

A configuration that is not valid gets the code TOC001. Places are relative to the working directory, as the
files were named on the command line. Rule: OASIS, *Static Analysis Results Interchange Format*, 2.1.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from config.findings.pages import page
from gateway.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.findings.code import Code
    from config.findings.finding import Finding
    from config.problems import Problem

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
INVALID: Final = "TOC001"

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_INVALID_RULE: Final[dict[str, Any]] = {
    "id": INVALID,
    "name": "configuration-invalid",
    "shortDescription": {"text": "The configuration is not valid: Tocsin refuses it as a whole"},
    "defaultConfiguration": {"level": "error"},
}


def log(codes: Iterable[Code], problems: Iterable[Problem], findings: Iterable[Finding]) -> dict[str, Any]:
    """The whole document, with one run."""
    rules = [_INVALID_RULE, *map(_rule, codes)]
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    results = [
        _result(INVALID, index[INVALID], "error", problem.message, problem) for problem in problems
    ] + [
        _result(
            finding.id,
            index[finding.id],
            _LEVELS[finding.code.severity],
            f"{finding.reason}. {finding.advice}",
            finding,
        )
        for finding in findings
    ]
    driver = {"name": "tocsin check", "version": VERSION, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": code.name,
        "shortDescription": {"text": code.title},
        "help": {"text": page(code), "markdown": page(code)},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _result(rule: str, index: int, level: str, text: str, place: Problem | Finding) -> dict[str, Any]:
    file = Path(place.file)
    uri = file.as_uri() if file.is_absolute() else quote(file.as_posix())
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }
    if place.path:
        location["logicalLocations"] = [{"fullyQualifiedName": place.path}]
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "level": level,
        "message": {"text": text},
        "locations": [location],
    }
