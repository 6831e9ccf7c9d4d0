"""The schema's errors in plain words: what came, what was expected, what was probably meant.

Values are shown as they were written, before variables are filled in, and not at all where a secret
belongs; pydantic's own texts are never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, SecretStr

from config.problems import Path, Problem, did_you_mean
from config.schema import Config
from config.section import keys_of
from config.unsupported import UNSUPPORTED
from config.values import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

    from config.document import Document, Node

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping, key: value",
    "model_type": "a mapping, key: value",
}
_LIMITS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than_equal": lambda limits: f"at least {limits['ge']}",
    "less_than_equal": lambda limits: f"at most {limits['le']}",
    "string_too_short": lambda _: "something that is not empty",
    "string_too_long": lambda limits: f"at most {limits['max_length']} characters",
    "too_short": lambda limits: f"at least {limits['min_length']} in it",
    "string_pattern_mismatch": lambda _: "letters, digits, _, and after the first also . - and spaces",
    "literal_error": lambda limits: str(limits["expected"]),
}


def explain(error: ErrorDetails, document: Document) -> Problem:
    """One of pydantic's errors as a problem of the document."""
    path: Path = error["loc"]
    key = path[-1:] == ("[key]",)
    if key:
        path = path[:-1]
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "missing":
        if not _stands_there(path, document):
            return document.problem(path, "this key is missing")
        return document.problem(path, f"is empty; expected {_wanted(path)}", key=True)
    if kind == "extra_forbidden":
        return document.problem(path, _unknown(path), key=True)
    node = document.at(path, key=key)
    if kind == "tocsin":
        what = f"{quote(node.written)} stands for a wrong value" if node.filled_in else context["what"]
        offset = 0 if node.filled_in else (context["column"] or 1) - 1
        return document.problem(path, f"{what}; expected {context['expected']}", key=key, offset=offset)
    expected = _EXPECTED.get(kind) or (_LIMITS[kind](context) if kind in _LIMITS else "another value")
    hint = ""
    if kind == "literal_error" and node.kind == "text" and not node.filled_in:
        hint = did_you_mean(
            node.text, [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
        )
    got = "this list is too short" if kind == "too_short" else _got(path, node)
    return document.problem(path, f"{got}; expected {expected}{hint}", key=key)


def _stands_there(path: Path, document: Document) -> bool:
    """Whether the key is written; without a value it is as good as absent to a section."""
    return path[-1] in document.at(path[:-1]).entries


def _wanted(path: Path) -> str:
    if section_at(path):
        return "keys and values below it, further to the right"
    return "a value"


def _got(path: Path, node: Node) -> str:
    match node.kind:
        case "nothing":
            return "there is no value"
        case "list" | "mapping":
            return f"a {node.kind} cannot be here"
        case "text" if is_secret(path):
            return "this value cannot be here"
        case "text":
            return f"{quote(node.written)} cannot be here"


def _unknown(path: Path) -> str:
    name = str(path[-1])
    section = section_at(path[:-1])
    lost = UNSUPPORTED.get(section.__name__, {}).get(name) if section else None
    if lost is not None:
        return f"{name} is not supported by this version of Tocsin, and is not ignored: without it, {lost}"
    known = list(keys_of(section)) if section else []
    expected = f"one of {', '.join(known)}" if len(known) <= 8 else "another key"
    return f"there is no key {name!r} here; expected {expected}{did_you_mean(name, known)}"


def section_at(path: Path) -> type[BaseModel] | None:
    """The section that stands at `path`, if the schema knows the way there."""
    found = type_at(path)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def is_secret(path: Path) -> bool:
    """Whether what stands at `path` must never be shown."""
    return "SecretStr" in repr(type_at(path)) or type_at(path) is SecretStr


def type_at(path: Path) -> Any:
    """The type that the schema wants at `path`; None where it knows no such place."""
    here: Any = Config
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = keys_of(here).get(str(part))
            here = here.model_fields[field].annotation if field else None
        else:
            inner = [arg for arg in get_args(here) if arg is not Ellipsis]
            here = inner[-1] if inner else None
        here = _without_none(here)
    return here


def _without_none(kind: Any) -> Any:
    """`X` of `X | None` and of `Annotated[X, ...]`."""
    if hasattr(kind, "__metadata__"):
        return _without_none(kind.__origin__)
    options = [arg for arg in get_args(kind) if arg is not type(None)]
    return _without_none(options[0]) if type(None) in get_args(kind) else kind
