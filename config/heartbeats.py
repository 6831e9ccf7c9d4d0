"""Heartbeats and beats: the signs of life that Tocsin expects of others, and those that it gives itself.

When one is missing says `routing/heartbeats.py`; whom that is told, the routes. What can be wrong between
these keys and others says `heartbeat_rules.py`.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from config.section import Section
from config.values import (
    AttemptLimit,
    Duration,
    LabelName,
    Matchers,
    Name,
    PositiveDuration,
    Secret,
    SecretFile,
    SecretUrl,
    quote,
    show_duration,
    wrong,
)
from routing import heartbeats, teams
from routing.heartbeats import Heartbeat, Heartbeats
from routing.matchers import in_order, parse_matchers

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_OFTEN: Final = 1_000


def _name(value: str) -> str:
    if _NAME.fullmatch(value) is None:
        what = f"{quote(value)} can be no part of an address"
        raise wrong(what, "letters, digits, _, and after the first also . and -, at most 100")
    return value


def _seldom_enough(value: int) -> int:
    if value < _OFTEN:
        raise wrong("this is too often", "at least 1s")
    return value


class HeartbeatConfig(Section):
    """A sign of life that is expected: an alert that always fires, or a request that comes by HTTP."""

    name: Annotated[Name, AfterValidator(_name)] = Field(description="It stands in the address of beats.")
    matchers: tuple[Matchers, ...] = Field((), description="Alerts that are beats while they fire.")
    token: Secret | None = Field(None, description="Lets beats come to POST /heartbeat/NAME.")
    token_file: SecretFile | None = None
    token_in_path: bool = Field(False, description="Also take them at /heartbeat/NAME/TOKEN.")
    allow_get: bool = Field(False, description="Also take them by GET.")
    timeout: PositiveDuration = Field(description="How long after a beat the next one must be here.")
    severity: str = Field("", description="Of the alert that says that it is missing.")
    team: Name | None = Field(None, description="Whose that alert is.")
    labels: dict[LabelName, str] = Field(default_factory=dict, description="Further labels of that alert.")
    annotations: dict[LabelName, str] = Field(default_factory=dict, description="Of that alert.")


class BeatConfig(Section):
    """An address that is called again and again while Tocsin really works."""

    url: SecretUrl | None = None
    url_file: SecretFile | None = None
    every: Annotated[Duration, AfterValidator(_seldom_enough)] = Field(60_000, description="At least 1s.")
    timeout: AttemptLimit = Field(10_000, description="Of one call.")


def compiled(sections: Iterable[HeartbeatConfig], severity_label: str) -> Heartbeats:
    """What routing works on; `severity_label` is the label that says an alert's severity."""
    return Heartbeats(_heartbeat(one, severity_label) for one in sections)


def _heartbeat(section: HeartbeatConfig, severity_label: str) -> Heartbeat:
    labels = {"alertname": heartbeats.ALERT, heartbeats.LABEL: section.name}
    if section.severity:
        labels[severity_label] = section.severity
    if section.team:
        labels[teams.LABEL] = section.team
    said = {
        "summary": f"No heartbeat of {section.name} for {show_duration(section.timeout)}",
        "description": f"{section.name} should give a sign of life at least every "
        f"{show_duration(section.timeout)}. Either it is down, or what it sends does not arrive here.",
    }
    return Heartbeat(
        name=section.name,
        timeout=section.timeout,
        matchers=in_order(matcher for text in section.matchers for matcher in parse_matchers(text)),
        labels={**section.labels, **labels},
        annotations={**said, **section.annotations},
    )
