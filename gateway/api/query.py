"""What stands behind the `?` of an address: read strictly, and refused with what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web

LARGEST_PAGE: Final = 1_000
MAX_WORD: Final = 200


def choice(request: web.Request, name: str, allowed: tuple[str, ...]) -> str:
    """A parameter that is one of `allowed`, the first where it is not given."""
    value = request.query.get(name, allowed[0])
    if value not in allowed:
        raise ProblemError(400, f"{name} is one of {', '.join(allowed)}; this is {value[:40]!r}.")
    return value


def page(request: web.Request) -> int:
    """`limit`, 100 where it is not given, at most `LARGEST_PAGE`."""
    value = request.query.get("limit", "100")
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value[:9]) <= LARGEST_PAGE:
        raise ProblemError(400, f"limit is a number from 1 to {LARGEST_PAGE}; this is {value[:40]!r}.")
    return int(value)


def word(request: web.Request, name: str) -> str:
    """A name, "" where it is not given."""
    value = request.query.get(name, "")
    if len(value) > MAX_WORD:
        raise ProblemError(400, f"{name} has at most {MAX_WORD} characters; this has {len(value)}.")
    return value


def flag(request: web.Request, name: str) -> bool:
    """`true` or `false`, false where it is not given."""
    return choice(request, name, ("false", "true")) == "true"
