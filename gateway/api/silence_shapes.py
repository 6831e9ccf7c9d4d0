"""How silences look in JSON, sent and answered, and what can be asked about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api import openapi, shapes
from gateway.api.openapi import Operation, Parameter
from gateway.api.query import LARGEST_PAGE
from routing.matchers import show, to_json
from routing.silences import state

if TYPE_CHECKING:
    from routing.silences import Silence as Record


class Matcher(TypedDict):
    """As in Alertmanager's API."""

    name: str
    value: str
    isRegex: NotRequired[bool]
    isEqual: NotRequired[bool]


class Silence(TypedDict):
    """A silence; `text` is its matchers as Alertmanager prints them."""

    id: str
    state: Literal["active", "pending", "expired"]
    matchers: list[Matcher]
    text: str
    starts_at: str | None
    ends_at: str | None
    created_by: str
    comment: str
    updated_at: str | None
    annotations: dict[str, str]


class Silences(TypedDict):
    """Silences, those that end first; `total` counts also those beyond the limit."""

    silences: list[Silence]
    total: int


class HiddenAlert(TypedDict):
    """An alert that would be hidden."""

    labels: dict[str, str]
    fingerprint: str


class HiddenIncident(shapes.Unnumbered):
    """An incident of which `hidden` of `firing` alerts would be hidden; it has no number before its time."""

    number: int | None
    hidden: int


class Preview(TypedDict):
    """What a silence would hide of what fires now.

    `complete` is false where there was no time to look at all; `refusal` says why such a silence is refused
    unless it is forced. The first 50 alerts and incidents are listed.
    """

    firing: int
    hidden: int
    complete: bool
    refusal: str | None
    alerts: list[HiddenAlert]
    incidents: list[HiddenIncident]


class Written(TypedDict):
    """The silence, the id of the one that it replaces, and what it hides now (null where it was forced)."""

    silence: Silence
    ended: str | None
    hides: Preview | None


class Matchers(TypedDict):
    """Which alerts: all matchers must hold. As text, `alertname="X"`, or as objects of Alertmanager's API."""

    matchers: list[str | Matcher]


class Wanted(Matchers):
    """A silence to be made, or, with the `id` of one, to be changed."""

    id: NotRequired[str]
    starts_at: NotRequired[str | None]
    ends_at: str
    created_by: NotRequired[str]
    comment: str
    annotations: NotRequired[dict[str, str]]
    force: NotRequired[bool]


FIELDS: Final = ("id", "matchers", "starts_at", "ends_at", "created_by", "comment", "annotations", "force")


def describe(silence: Record, now: int) -> Silence:
    """As the API shows it."""
    matchers: list[Any] = [to_json(matcher) for matcher in silence.matchers]
    return {
        "id": silence.id,
        "state": state(silence, now).value,
        "matchers": matchers,
        "text": show(silence.matchers),
        "starts_at": shapes.moment(silence.starts_at),
        "ends_at": shapes.moment(silence.ends_at),
        "created_by": silence.created_by,
        "comment": silence.comment,
        "updated_at": shapes.moment(silence.updated_at),
        "annotations": dict(silence.annotations),
    }


_ID: Final = openapi.part("id", "The silence's id.")
_FILTER: Final = Parameter(
    "filter",
    "Only silences that have this matcher, as it is written there; may be given several times.",
    {"type": "array", "items": {"type": "string"}, "maxItems": 64},
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/silences",
        "List silences",
        "read",
        Silences,
        parameters=(
            openapi.one_of(
                "state", "current: active or pending.", "current", "active", "pending", "expired", "all"
            ),
            _FILTER,
            openapi.limit(LARGEST_PAGE),
        ),
    ),
    Operation(
        "POST",
        "/api/v1/silences",
        "Silence alerts, or change a silence",
        "respond",
        Written,
        "One that would hide everything is refused unless it is forced.",
        body=Wanted,
        refusals={
            404: "There is no silence with this id.",
            409: "It would hide everything, or there is no room for more.",
        },
    ),
    Operation(
        "POST",
        "/api/v1/silences/preview",
        "See what a silence would hide now",
        "read",
        Preview,
        "Makes nothing. A token with `respond` may ask it as well.",
        body=Matchers,
    ),
    Operation("GET", "/api/v1/silences/{id}", "Show a silence", "read", Silence, parameters=(_ID,)),
    Operation(
        "DELETE",
        "/api/v1/silences/{id}",
        "End a silence now",
        "respond",
        Silence,
        parameters=(_ID,),
    ),
)
