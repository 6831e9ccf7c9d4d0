"""The sections that say who is told: severities, teams, users, escalation policies.

All of them are Tocsin's own. What names another section, and what a target needs to be reached, checks
`people_rules.py`; who a target is in the end says `targets.py`.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from config.problems import did_you_mean
from config.section import Section
from config.values import (
    Duration,
    LabelName,
    Matchers,
    Name,
    PositiveDuration,
    Secret,
    SecretFile,
    quote,
    wrong,
)
from routing.severity import LABEL

T = TypeVar("T")

WAYS: Final = ("slack", "email", "lead", "manager", "pagerduty")  # in which a team can be told
ANY_SEVERITY: Final = "default"  # the key for all severities that are not named

_SLACK_ID: Final = re.compile(r"[UW][A-Z0-9]{2,20}")


class _Shorter:
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
    if value == "on_call":
        what = "nobody is on call, since this version has no schedules"
        raise wrong(what, f"another way of reaching a team: {', '.join(WAYS)}")
    if value not in WAYS:
        what = f"{quote(value)} is no way of reaching a team"
        raise wrong(what, f"one of {', '.join(WAYS)}{did_you_mean(value, WAYS)}")
    return value


def _slack_id(value: str) -> str:
    if _SLACK_ID.fullmatch(value) is None:
        what = f"{quote(value)} is no member id of Slack"
        raise wrong(what, "one such as U024BE7LH (in Slack: the profile, Copy member ID)")
    return value


def _names_only(value: Any) -> Any:
    return {"names": value} if isinstance(value, list) else value


_ITEM: Final = {"type": "string"}
Channels = Annotated[tuple[Name, ...], BeforeValidator(_one_of_several), _Shorter(_ITEM), Field(min_length=1)]
BySeverity = Annotated[dict[str, T], BeforeValidator(_for_all), _Shorter(None)]
Way = Annotated[str, AfterValidator(_way)]
SlackId = Annotated[str, AfterValidator(_slack_id)]


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
    _Shorter({"type": "array", "items": _ITEM, "minItems": 1}),
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


class TeamConfig(WaysConfig):
    """A team: alerts are its own by their label `team`, by `team:` of their route, or by a rule."""

    name: Name


class TeamRuleConfig(Section):
    """Alerts that meet all matchers are the team's, if neither label nor route names one."""

    matchers: tuple[Matchers, ...] = Field(min_length=1)
    team: Name


class UserConfig(Section):
    """Somebody who can be told; by everything that is given here."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}$")]
    email: str = ""
    slack_id: SlackId | None = Field(None, description="Member id, U...: told by a direct message.")
    pagerduty: Secret | None = Field(None, description="Routing key of a service of their own.")
    pagerduty_file: SecretFile | None = None


class TargetConfig(Section):
    """Whom a step tells: exactly one of these."""

    receiver: Name | None = None
    team: Way | None = Field(None, description=f"One of {', '.join(WAYS)}, of the incident's team.")
    user: Name | None = None


class StepConfig(Section):
    """One step of a policy: whom it tells, or which policy the incident is handed over to."""

    after: Duration = Field(0, description="Since the first step was due.")
    unless: Literal["acknowledged", "resolved"] = "acknowledged"
    notify: tuple[TargetConfig, ...] = ()
    policy: Name | None = Field(None, description="Hand over to this policy.")


class PolicyConfig(Section):
    """An escalation policy: what a route names instead of a receiver."""

    name: Name
    ack_timeout: PositiveDuration | None = None
    steps: tuple[StepConfig, ...] = Field(min_length=1)
