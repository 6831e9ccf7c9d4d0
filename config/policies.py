"""The sections of escalation policies: who is told, in which order, when, and on what condition.

What names another section, and which keys go together, checks `policy_rules.py`; `policy` turns a section
into what routing works with. Durations are milliseconds.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from config.people import WAYS, Shorter, Way
from config.section import Section
from config.values import Duration, Matchers, Name, PositiveDuration
from routing.calendar import TimeInterval
from routing.matchers import in_order, parse_matchers
from routing.policies import Policy, Step, Target

KINDS: Final = ("receiver", "team", "user", "schedule")  # of a target

_LONGEST_REMINDER: Final = 300_000


def _times_only(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"times": value}


class TargetConfig(Section):
    """Who is told: exactly one of these."""

    receiver: Name | None = None
    team: Way | None = Field(None, description=f"One of {', '.join(WAYS)}, of the incident's team.")
    user: Name | None = None
    schedule: Name | None = Field(None, description="Whoever is on call there when the step is due.")


class StepConfig(Section):
    """One step of a policy: whom it tells, which policy the incident is handed over to, or both."""

    after: Duration = Field(0, description="Since the first step was due.")
    unless: Literal["acknowledged", "resolved"] = Field(
        "acknowledged", description="What makes the step unnecessary."
    )
    notify: tuple[TargetConfig, ...] = ()
    every: PositiveDuration | None = Field(None, description="Said again that often, unless unnecessary.")
    policy: Name | None = Field(None, description="Hand over to this policy.")
    severity: Name | None = Field(None, description="With policy: what the incident is treated as from then.")
    when: tuple[Matchers, ...] = Field((), description="Only for incidents whose labels meet all of these.")
    during: tuple[Name, ...] = Field((), description="Only in one of these time intervals.")
    outside: Literal["pass", "hold"] = Field(
        "pass", description="With during: at any other time the step is passed, or held until one begins."
    )
    uncovered: Literal["next", "wait", "fallback"] = Field(
        "next", description="If nobody is on call: the next step, the next shift, or the fallback."
    )


class RepeatConfig(Section):
    """The whole policy again, if nobody acknowledges. The number alone can stand for the section."""

    times: int = Field(ge=1, le=100, description="How many times more.")
    after: PositiveDuration = Field(600_000, description="Since the last step.")


Repeat = Annotated[RepeatConfig, BeforeValidator(_times_only), Shorter({"type": "integer"})]


class PolicyConfig(Section):
    """An escalation policy: what a route names instead of a receiver."""

    name: Name
    steps: tuple[StepConfig, ...] = Field(min_length=1)
    repeat: Repeat | None = None
    fallback: tuple[TargetConfig, ...] = Field(
        (), description="Who is told where a step that asks for it, or the last step, can reach nobody."
    )
    ack_timeout: PositiveDuration | None = Field(None, description="An acknowledgement ends after that time.")
    ack_reminder: Duration | None = Field(
        None,
        description="How long before that who acknowledged is reminded, 0s for not at all. Not given: 5m, or"
        " a sixth of ack_timeout if that is less.",
    )
    on_new_alert: Literal["update", "ring"] = Field(
        "update", description="Whether an alert of no higher severity that joins is only shown, or heard."
    )
    keep_ack: bool = Field(False, description="An acknowledgement stays when the severity rises.")
    keep_ack_on_reopen: bool = Field(False, description="It stays when the incident opens again.")
    reopen_within: Duration = Field(
        300_000, description="What fires within this time of the end opens the same incident again."
    )


def policy(section: PolicyConfig, intervals: Mapping[str, TimeInterval]) -> Policy:
    """The policy as routing works with it; names of intervals that there are not are left out."""
    return Policy(
        name=section.name,
        steps=tuple(_step(step, intervals) for step in section.steps),
        ack_timeout=section.ack_timeout or 0,
        ack_reminder=_reminder(section),
        repeat=section.repeat.times if section.repeat else 0,
        repeat_after=section.repeat.after if section.repeat else 0,
        fallback=tuple(map(_target, section.fallback)),
        ring_on_new_alert=section.on_new_alert == "ring",
        keep_ack=section.keep_ack,
        keep_ack_on_reopen=section.keep_ack_on_reopen,
        reopen_within=section.reopen_within,
    )


def _reminder(section: PolicyConfig) -> int:
    if section.ack_timeout is None:
        return 0
    if section.ack_reminder is None:
        return min(_LONGEST_REMINDER, section.ack_timeout // 6)
    return section.ack_reminder


def _step(section: StepConfig, intervals: Mapping[str, TimeInterval]) -> Step:
    return Step(
        notify=tuple(map(_target, section.notify)),
        after=section.after,
        unless=section.unless,
        policy=section.policy or "",
        severity=(section.severity or "").lower(),
        when=in_order(tuple(matcher for text in section.when for matcher in parse_matchers(text))),
        during=tuple(intervals[name] for name in section.during if name in intervals),
        outside=section.outside,
        every=section.every or 0,
        uncovered=section.uncovered,
    )


def _target(section: TargetConfig) -> Target:
    if section.receiver:
        return Target("receiver", section.receiver)
    if section.team:
        return Target("team", section.team)
    if section.schedule:
        return Target("schedule", section.schedule)
    return Target("user", section.user or "")
