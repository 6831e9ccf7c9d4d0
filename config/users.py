"""People who can be told, and how each of them is told: by which ways, in which order.

What a user needs to be told checks `people_rules.py`; the ways themselves fills in `targets.py`. Durations
are milliseconds.
"""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from config.intervals import Location
from config.people import BySeverity
from config.problems import did_you_mean
from config.section import Section
from config.values import Duration, Secret, SecretFile, SecretUrl, quote, wrong

CONTACTS: Final = ("slack", "email", "pagerduty", "webhook")  # ways of telling a person

_SLACK_ID: Final = re.compile(r"[UW][A-Z0-9]{2,20}")


def _slack_id(value: str) -> str:
    if _SLACK_ID.fullmatch(value) is None:
        what = f"{quote(value)} is no member id of Slack"
        raise wrong(what, "one such as U024BE7LH (in Slack: the profile, Copy member ID)")
    return value


def _at_once(value: Any) -> Any:
    """A way by its name alone has no delay."""
    return {value: 0} if isinstance(value, str) else value


def _one_way(value: Any) -> Any:
    if isinstance(value, dict) and len(value) != 1:
        raise wrong(f"{len(value)} ways in one item", "one, such as slack, or with a delay email: 2m")
    for name in value if isinstance(value, dict) else ():
        if name not in CONTACTS:
            what = f"{quote(str(name))} is no way of telling a person"
            raise wrong(what, f"one of {', '.join(CONTACTS)}{did_you_mean(str(name), CONTACTS)}")
    return value


def _each_once(value: tuple[dict[str, int], ...]) -> tuple[dict[str, int], ...]:
    names = [name for way in value for name in way]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise wrong(f"{twice} stands here twice", "each way once")
    if not names:
        raise wrong("no way at all, so that nothing would tell them", f"some of {', '.join(CONTACTS)}")
    return value


_WAY_SCHEMA: Final = {
    "anyOf": [
        {"enum": list(CONTACTS)},
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in CONTACTS},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}

SlackId = Annotated[str, AfterValidator(_slack_id)]
Contact = Annotated[
    dict[str, Duration], BeforeValidator(_one_way), BeforeValidator(_at_once), WithJsonSchema(_WAY_SCHEMA)
]
Contacts = Annotated[tuple[Contact, ...], AfterValidator(_each_once)]


class UserConfig(Section):
    """Somebody who can be told: by all that is given here, or as their contact rules say."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}$")]
    email: str = ""
    slack_id: SlackId | None = Field(None, description="Member id, U...: told by a direct message.")
    pagerduty: Secret | None = Field(None, description="Routing key of a service of their own.")
    pagerduty_file: SecretFile | None = None
    webhook: SecretUrl | None = Field(None, description="Address that gets a webhook, as of a receiver.")
    time_zone: Location = Field("UTC", description="Where they live, such as Europe/Berlin.")
    contact: BySeverity[Contacts] = Field(
        default_factory=dict,
        description="Ways in order, each with its delay, such as [slack, email: 2m]; or such by severity,"
        " with default for the others. Not given: all ways at once.",
    )
    notify_shift: Duration | None = Field(
        None,
        description="They are told when a shift of theirs begins and ends, and this long before it begins.",
    )
