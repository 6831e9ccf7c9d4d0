"""The sections about severities and teams: how bad it is, whose it is, and how these are told.

Both are Tocsin's own. What names another section checks `people_rules.py`; who a target is in the end says
`targets.py`. Persons are in `users.py`, who is told when in `policies.py`.
"""

from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from config.problems import did_you_mean
from config.section import Section
from config.values import LabelName, Matchers, Name, Secret, SecretFile, quote, wrong
from routing.severity import LABEL

T = TypeVar("T")

WAYS: Final = ("slack", "email", "lead", "manager", "pagerduty", "on_call")  # in which a team can be told
ANY_SEVERITY: Final = "default"  # the key for all severities that are not named


class Shorter:
    """Lets a shorter form stand for the whole; None: that of any value. The JSON Schema allows both."""

    def __init__(self, form: dict[str, Any] | None) -> None:
        self._form = form

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole = handler(core)
        return {"anyOf": [whole, self._form or whole["additionalProperties"]]}


def _for_all(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {ANY_SEVERITY: value}


def _one_of_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _way(value: str) -> str:
    if value not in WAYS:
        what = f"{quote(value)} is no way of reaching a team"
        raise wrong(what, f"one of {', '.join(WAYS)}{did_you_mean(value, WAYS)}")
    return value


def _names_only(value: Any) -> Any:
    return {"names": value} if isinstance(value, list) else value


_ITEM: Final = {"type": "string"}
Channels = Annotated[tuple[Name, ...], BeforeValidator(_one_of_several), Shorter(_ITEM), Field(min_length=1)]
BySeverity = Annotated[dict[str, T], BeforeValidator(_for_all), Shorter(None)]
Way = Annotated[str, AfterValidator(_way)]


class SeveritiesConfig(Section):
    """Which severities there are. The list alone can stand for the whole section."""

    label: LabelName = Field(LABEL, description="The label that says an alert's severity.")
    names: tuple[Name, ...] = Field(min_length=1, description="Worst first, at most eight.")
    aliases: dict[str, str] = Field(
        default_factory=dict, description="Other words for them, such as warning: medium."
    )
    default: str = Field("", description="What counts for a missing or unknown word; empty: the middle one.")


Severities = Annotated[
    SeveritiesConfig,
    BeforeValidator(_names_only),
    Shorter({"type": "array", "items": _ITEM, "minItems": 1}),
]


class WaysConfig(Section):
    """How a team is told; what is not given here comes from `team_defaults`."""

    slack_channel: BySeverity[Channels] = Field(
        default_factory=dict, description="One, a list, or such by severity, with default for the others."
    )
    email: str = Field("", description="Addresses, separated by commas.")
    lead: str = Field("", description="Name of a user, or an address.")
    manager: str = Field("", description="Name of a user, or an address.")
    pagerduty: BySeverity[Secret] = Field(
        default_factory=dict, description="Routing key, or keys by severity, with default for the others."
    )
    pagerduty_file: BySeverity[SecretFile] = Field(default_factory=dict)
    on_call: str = Field("", description="Name of a schedule: whoever is on call there.")


class TeamConfig(WaysConfig):
    """A team: alerts are its own by their label `team`, by `team:` of their route, or by a rule."""

    name: Name


class TeamRuleConfig(Section):
    """Alerts that meet all matchers are the team's, if neither label nor route names one."""

    matchers: tuple[Matchers, ...] = Field(min_length=1)
    team: Name
