"""JSON that is sent to the API, read strictly: what is not known is an error that names it.

A body is a pydantic model, from which `openapi.py` makes its description; what is wrong with one that was
sent is said in our own words, with the field, never with what may be a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from config.problems import did_you_mean
from config.values import parse_duration, wrong
from gateway import payload
from gateway.body import read_json_body
from gateway.payload import PayloadError
from gateway.problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web
    from pydantic_core import ErrorDetails

MAX_BYTES: Final = 32 * 1024
READ_MS: Final = 10_000


class Body(BaseModel):
    """What is sent: nothing is guessed, nothing unknown is let pass. null is as good as nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


B = TypeVar("B", bound=Body)


async def read(request: web.Request, model: type[B], limit: int = MAX_BYTES) -> B:
    """The body of the request, at most `limit` bytes; none at all is read as `{}`.

    Raises:
        ProblemError: 400 with the `field` that is wrong; 413, 415, 503 as `read_json_body` says.
    """
    try:
        raw = await read_json_body(request, limit, READ_MS)
        document = payload.read_json(raw) if raw.strip() else {}
    except PayloadError as error:
        raise ProblemError(400, f"Expected a JSON object: {error}.") from None
    except ProblemError as error:
        if error.status == 413:  # whose advice is about alerts
            raise ProblemError(413, f"A body may have {limit} bytes here.", closes=True) from None
        raise
    if not isinstance(document, dict):
        raise ProblemError(400, f"Expected a JSON object; this is {_kind(document)}.")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:80]
        raise refusal(field, _in_words(first, model)) from None


def refusal(field: str, message: str) -> ProblemError:
    """400 for a field whose value is no good, "" for the whole body; `message` has no full stop."""
    stop = "" if message.endswith("?") else "."
    return ProblemError(400, f"{field}: {message}{stop}" if field else f"{message}{stop}", field=field)


def _in_words(error: ErrorDetails, model: type[Body]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden" if len(error["loc"]) > 1:  # of a part of it, which has other fields
            return "there is no such field"
        case "extra_forbidden":
            known = [one.alias or name for name, one in model.model_fields.items()]
            near = did_you_mean(str(error["loc"][-1]), known)
            return f"there is no such field{near or '; expected some of ' + ', '.join(known)}"
        case "missing":
            return "it is missing"
        case "string_type":
            return f"expected text; this is {_kind(error['input'])}"
        case "dict_type" | "model_type" | "list_type":
            expected = "a list" if error["type"] == "list_type" else "an object"
            return f"expected {expected}; this is {_kind(error['input'])}"
        case "too_long":
            return f"expected at most {context['max_length']} of them; these are {context['actual_length']}"
        case "string_too_short":
            return "it is empty"
        case "string_too_long":
            return f"expected at most {context['max_length']} characters; these are {len(error['input'])}"
        case "literal_error":
            return f"expected {context['expected']}"
        case _:
            return error["msg"].rstrip(".")


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _length(value: Any) -> int:
    if not isinstance(value, str):
        what = f"not a duration but {_kind(value)}"
        raise wrong(what, "text such as 30m or 1h30m")
    return parse_duration(value)


def _positive(value: int) -> int:
    if value <= 0:
        raise wrong("this is no time at all", "a duration such as 30m or 1h30m")
    return value


def _moment(value: Any) -> int:
    if not isinstance(value, str):
        what = f"not a time but {_kind(value)}"
        raise wrong(what, "text such as 2026-11-23T08:48:35Z")
    try:
        found = payload.read_time(value)
    except ValueError as error:
        what, _, said = str(error).partition("; ")
        raise wrong(said or what, what.removeprefix("expected ") if said else "a time") from None
    if found is None:
        raise wrong("this is no time", "a time such as 2026-11-23T08:48:35Z")
    return found


def _one_line(value: str) -> str:
    text = value.strip()
    if not text.isprintable():
        raise wrong("it has characters that cannot be shown", "words on one line")
    return text


Duration = Annotated[
    int,
    AfterValidator(_positive),
    BeforeValidator(_length),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([1-9][0-9]{0,2}w)?([1-9][0-9]{0,3}d)?([1-9][0-9]{0,3}h)?([1-9][0-9]{0,4}m)?$",
            "minLength": 2,
            "examples": ["30m", "1h30m"],
            "description": "As in Prometheus' configuration.",
        }
    ),
]
"""Milliseconds, more than none, written as `1h30m`."""

After = Annotated[
    int,
    BeforeValidator(_length),
    WithJsonSchema({"type": "string", "pattern": r"^(0s|[1-9][0-9]{0,3}[smh])$", "examples": ["0s", "5m"]}),
]
"""Milliseconds after a beginning, none or more, written as `5m`."""

Moment = Annotated[
    int,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T18:00:00Z"]}),
]
"""Milliseconds since the epoch, written as RFC 3339 with a zone."""

Words = Annotated[str, StringConstraints(max_length=100), AfterValidator(_one_line)]
"""Text on one line, such as a name."""
