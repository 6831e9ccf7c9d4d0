"""What is sent with an answer to an incident, and the event that it is for the incident."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from config.values import wrong
from gateway.api import shapes
from gateway.api.bodies import Body, Duration, Moment, Words, refusal
from routing.answering import LONGEST_NOTE
from routing.events import (
    Acknowledged,
    Answer,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.policies import Target

LONGEST: Final = 366 * 24 * 3_600_000
"""An acknowledgement that ends later is a mistake; one without an end is none."""


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TeamWay = Literal["slack", "email", "lead", "manager", "pagerduty", "on_call"]


def _one_of(*names: str) -> dict[str, Any]:
    given = [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]
    return {"oneOf": given}


class Said(Body):
    """Of every answer."""

    by: Words = Field("", description="Who answers, where that is not the token's own user.")

    def exactly_one(self, *names: str) -> None:
        """Raises where none of these fields is given, or several."""
        given = [name for name in names if getattr(self, name)]
        if len(given) != 1:
            what = f"{' and '.join(given)} are given" if given else "nothing says who or what"
            raise wrong(what, f"one of {', '.join(name.rstrip('_') for name in names)}")


class Acknowledge(Said):
    """Somebody has it in hand: for a time, until a moment, else for as long as the policy says."""

    for_: Duration | None = Field(None, alias="for")
    until: Moment | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Acknowledge:
        if self.for_ and self.until:
            raise wrong("both for and until are given", "one of them at most")
        return self


class Snooze(Acknowledge, json_schema_extra=_one_of("for", "until")):
    """Nobody is to be rung before it ends: an acknowledgement with an end."""

    @model_validator(mode="after")
    def _an_end(self) -> Snooze:
        if not self.for_ and not self.until:
            raise wrong("nothing says how long", "for or until")
        return self


class Unacknowledge(Said):
    """Nobody has it in hand after all."""


class Resolve(Said):
    """It is over; what still fires of it is dismissed."""


class Escalate(Said):
    """The next step is wanted now."""


class Note(Said):
    """A line for the timeline."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE)]


class Responder(Said, json_schema_extra=_one_of("user", "schedule")):
    """Somebody is told besides: a user, or who is on call."""

    user: Name | None = None
    schedule: Name | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Responder:
        self.exactly_one("user", "schedule")
        return self


class Reassign(Said, json_schema_extra=_one_of("user", "schedule", "policy", "team")):
    """Others are to have it: a user, who is on call, another policy, or the incident's own team."""

    user: Name | None = None
    schedule: Name | None = None
    policy: Name | None = None
    team: TeamWay | None = Field(None, description="By which way the incident's own team is told.")

    @model_validator(mode="after")
    def _somebody(self) -> Reassign:
        self.exactly_one("user", "schedule", "policy", "team")
        return self


class Verb(NamedTuple):
    """The end of a path, what it does, what is sent to it, and whether a body is needed."""

    path: str
    summary: str
    body: type[Said]
    needs: bool = False


VERBS: Final = (
    Verb("acknowledge", "Acknowledge an incident", Acknowledge),
    Verb("unacknowledge", "Take an acknowledgement back", Unacknowledge),
    Verb("resolve", "Resolve an incident by hand", Resolve),
    Verb("snooze", "Acknowledge an incident for a time", Snooze, needs=True),
    Verb("escalate", "Escalate an incident now", Escalate),
    Verb("reassign", "Give an incident to others", Reassign, needs=True),
    Verb("notes", "Note something on an incident", Note, needs=True),
    Verb("responders", "Tell somebody besides", Responder, needs=True),
)


def event(said: Said, by: str, via: str, now: int) -> Answer:
    """What was sent, as the incident takes it. Times are milliseconds; `now` is the store's clock.

    Raises:
        ProblemError: 400 where an end lies in the past, or further ahead than `LONGEST`.
    """
    match said:
        case Acknowledge():  # a snooze is one
            return Acknowledged(by, via, _end(said, now))
        case Unacknowledge():
            return Unacknowledged(by, via)
        case Resolve():
            return Resolved(by, via)
        case Escalate():
            return Escalated(by, via)
        case Note():
            return Noted(by, via, said.text)
        case Responder():
            return ResponderAdded(by, via, _target(said))
        case Reassign(policy=str(policy)):
            return Reassigned(by, via, policy=policy)
        case Reassign():
            return Reassigned(by, via, _target(said))
    raise TypeError(said)


def _target(said: Responder | Reassign) -> Target:
    if said.user:
        return Target("user", said.user)
    if said.schedule:
        return Target("schedule", said.schedule)
    return Target("team", (isinstance(said, Reassign) and said.team) or "")


def _end(said: Acknowledge, now: int) -> int:
    """When the acknowledgement ends, 0 for never."""
    if said.until is not None and said.until <= now:
        raise refusal("until", f"{shapes.moment(said.until)} is in the past: it is {shapes.moment(now)}")
    end = said.until or (now + said.for_ if said.for_ else 0)
    if end > now + LONGEST:
        raise refusal("for" if said.for_ else "until", "it would end in more than a year; expected less")
    return end
