"""`GET /api/v1/openapi.json`: what can be asked of the API, as OpenAPI 3.1, for people's tools.

Each file of the API says beside its handlers what they take and answer (`OPERATIONS`); the schemas are made
from the types that the handlers work with. Nothing is checked by it: the handlers do that. The document is
the same for every Tocsin of one version and says nothing of this one, so it needs no token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from aiohttp import web
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api.query import MAX_WORD
from gateway.problem import CONTENT_TYPE
from gateway.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.auth import Scope

PATH: Final = "/api/v1/openapi.json"

_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_SCHEMAS: Final = "#/components/schemas/{model}"
_ABOUT: Final = (
    "Tocsin takes alerts and tells people until somebody answers. Times are RFC 3339 in UTC, null where "
    "there is none. Errors are problem details (RFC 9457). Fields may be added; none goes away or changes "
    "its meaning within /api/v1."
)
_TOKEN: Final = "A token under auth.tokens of the configuration, with the scope that the operation names."  # noqa: S105 - no token


class Problem(TypedDict):
    """Why a request was refused (RFC 9457): `detail` says what was expected, what came, what to do."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, what it is about, the JSON Schema of its value, and where it stands."""

    name: str
    about: str
    schema: Mapping[str, Any]
    place: Literal["query", "header", "path"] = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        path: as the route's pattern reads, without regular expressions.
        scope: that a token needs; "" where anybody may ask.
        answer: the type of what is answered with status 200; `media` is what it is sent as.
        body: the type of what is sent, None where nothing is; `optional`: it may be left out.
        refusals: statuses of problems beyond those that all have, with when they come.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    summary: str
    scope: Scope | Literal[""]
    answer: Any
    about: str = ""
    media: str = "application/json"
    body: Any = None
    optional: bool = False
    parameters: tuple[Parameter, ...] = ()
    refusals: Mapping[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its operationId."""
        return re.sub(r"\W+", "_", f"{self.method.lower()}{self.path.removeprefix('/api/v1')}").strip("_")

    @property
    def types(self) -> Iterator[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]]:
        """What is to have a schema: what is sent, and what is answered."""
        if self.body is not None:
            yield f"{self.name} body", "validation", TypeAdapter(self.body)
        yield f"{self.name} answer", "serialization", TypeAdapter(self.answer)


def limit(most: int) -> Parameter:
    """The parameter `limit`, as `gateway/api/query.py` reads it."""
    whole = {"type": "integer", "minimum": 1, "maximum": most, "default": 100}
    return Parameter("limit", "How many at most.", whole)


def one_of(name: str, about: str, *words: str) -> Parameter:
    """A parameter of the query that is one of `words`, the first where it is not given."""
    return Parameter(name, about, {"type": "string", "enum": list(words), "default": words[0]})


def text(name: str, about: str) -> Parameter:
    """A parameter of the query that is a name."""
    return Parameter(name, about, {"type": "string", "maxLength": MAX_WORD})


def part(name: str, about: str, **schema: Any) -> Parameter:
    """A part of the path; text where nothing else is said."""
    return Parameter(name, about, {"type": "string", "minLength": 1} | schema, "path")


NUMBER: Final = part(
    "number", "The incident's number.", type="integer", minimum=1, maximum=10**15 - 1, examples=[1]
)


def routes(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """The route; the document is made when it is first asked for."""
    described = (*operations, OPERATION)
    made: list[dict[str, Any]] = []

    async def show(_request: web.Request) -> web.Response:
        if not made:
            made.append(document(described))
        return web.json_response(made[0])

    return [web.get(PATH, show)]


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The OpenAPI document of these operations."""
    known = tuple(operations)
    inputs = [one for operation in known for one in operation.types]
    inputs.append(("problem", "serialization", TypeAdapter(Problem)))
    schemas, definitions = TypeAdapter.json_schemas(inputs, ref_template=_SCHEMAS)
    named = {key: schema for (key, _), schema in schemas.items()}
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, named)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": _TOKEN},
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": f"{_TOKEN} It is the password; any user will do.",
                },
            },
        },
    }


def _described(operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.path.split("/")[3]],
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "Done." if operation.method != "GET" else "What was asked for.",
                "content": {operation.media: {"schema": schemas[f"{operation.name} answer"]}},
            }
        }
        | {str(status): _refusal(when, schemas) for status, when in sorted(_refusals(operation).items())},
    }
    if operation.about:
        found["description"] = operation.about
    if operation.parameters:
        found["parameters"] = [_parameter(one) for one in operation.parameters]
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[f"{operation.name} body"]}}
        found["requestBody"] = {"required": not operation.optional, "content": content}
    if operation.scope:
        found["security"] = [{"bearer": [operation.scope]}, {"basic": [operation.scope]}]
    return found


def _refusals(operation: Operation) -> dict[int, str]:
    found = {503: "The store is away; `Retry-After` says when to try again."}
    if operation.scope:
        found |= {
            401: "No token, or one that is not known.",
            403: f"The token lacks the scope `{operation.scope}`.",
        }
    if any(one.place != "path" for one in operation.parameters) or operation.body is not None:
        found[400] = "Something that was sent is not as described; `detail` says what."
    if _IN_PATH.search(operation.path):
        found[404] = "There is nothing of that name or number."
    if operation.body is not None:
        found |= {413: "The body is too long.", 415: "The body is not JSON in UTF-8."}
    return found | dict(operation.refusals)


def _refusal(when: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": when, "content": {CONTENT_TYPE: {"schema": schemas["problem"]}}}


def _parameter(one: Parameter) -> dict[str, Any]:
    needed = {"required": True} if one.place == "path" else {}
    return {"name": one.name, "in": one.place, "description": one.about, **needed, "schema": dict(one.schema)}


OPERATION: Final = Operation("GET", PATH, "Describe the API", "", dict[str, Any], "This document.")
