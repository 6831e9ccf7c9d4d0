"""What is sent to be simulated: alerts, answers, silences and failures, as files of tests write them.

Times in it count from the first firing; only `at` is a moment. What the configuration does not have is
refused, as everything else that cannot be meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.filled import KINDS
from config.problems import did_you_mean
from config.values import wrong
from gateway.api.bodies import After, Body, Duration, Moment, refusal
from gateway.simulation.given import Given, GivenError, gathered, one_alert, together
from gateway.simulation.run import LONGEST, Failure
from gateway.simulation.times import LATEST
from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged
from routing.matchers import MatcherError, parse_matchers
from routing.silence_changes import InvalidSilenceError, check_matchers
from routing.silences import Silence
from routing.story import Said, SilencesChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.compile import Plan
    from routing.events import Answer
    from routing.story import Happening

MAX_ALERTS: Final = 100
MAX_OTHERS: Final = 100
VIA: Final = "simulation"

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Labels = dict[str, str]


class OneAlert(Body):
    """An alert that begins to fire `at` after the beginning, and stops `fires` later; not given: never."""

    labels: Labels
    annotations: Labels = Field(default_factory=dict)
    at: After = Field(default_factory=int)  # 0, which in JSON is no duration
    fires: Duration | None = None


class OneAnswer(Body):
    """What somebody says, so long after the first firing, to every incident that is open or to one."""

    at: After
    ack: Name | None = Field(None, description="Who has it in hand; `for` a while, where that is given.")
    unack: Name | None = None
    resolve: Name | None = None
    escalate: Name | None = None
    for_: Duration | None = Field(None, alias="for")
    incident: int = Field(0, ge=0, description="Its number in the simulation, from 1; 0: all.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [name for name in ("ack", "unack", "resolve", "escalate") if getattr(self, name)]
        if len(given) != 1:
            what = f"{' and '.join(given)} are given" if given else "nothing says what is answered"
            raise wrong(what, "one of ack, unack, resolve, escalate, with who does it")
        if self.for_ and not self.ack:
            raise wrong("for belongs to ack", "ack beside it, or no for")
        return self


class OneSilence(Body):
    """A silence from `at` on; `for` not given: to the end."""

    matchers: Annotated[str, StringConstraints(min_length=1, max_length=4_000)] = Field(
        examples=['team="db"']
    )
    at: After = Field(default_factory=int)  # 0, which in JSON is no duration
    for_: Duration | None = Field(None, alias="for")


class OneFailure(Body):
    """A service, receiver or user that takes nothing from `at` on; `for` not given: to the end."""

    what: Name = Field(examples=["slack"])
    at: After = Field(default_factory=int)  # 0, which in JSON is no duration
    for_: Duration | None = Field(None, alias="for")
    refused: bool = Field(False, description="It says that it never will, instead of that it may later.")


class Simulate(Body):
    """What is to be simulated, by the configuration in force: `labels` of one alert, or `alerts`.

    `silences` are the present ones, or these alone; who is on call is known as it is now, overrides and all.
    """

    labels: Labels | None = Field(None, examples=[{"alertname": "ApiDown", "severity": "critical"}])
    annotations: Labels = Field(default_factory=dict)
    alerts: Annotated[list[OneAlert], Field(max_length=MAX_ALERTS)] | None = None
    at: Moment | None = Field(None, description="When it begins; not given: now.")
    fires: Duration | None = Field(None, description="How long alerts fire; not given: for ever.")
    answers: Annotated[list[OneAnswer], Field(max_length=MAX_OTHERS)] = Field(default_factory=list)
    silences: Literal["present"] | Annotated[list[OneSilence], Field(max_length=MAX_OTHERS)] = "present"
    failures: Annotated[list[OneFailure], Field(max_length=MAX_OTHERS)] = Field(default_factory=list)
    explain: bool = False
    messages: bool = Field(False, description="With what people read.")

    @model_validator(mode="after")
    def _alerts_once(self) -> Self:
        if bool(self.labels) == bool(self.alerts):
            what = "labels and alerts are given" if self.labels else "no alert is given"
            raise wrong(what, "labels of one alert, or alerts")
        if self.annotations and self.alerts:
            raise wrong("annotations belong to labels", "those of alerts inside of them")
        return self


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, in order, from `began` (ms) on, and who takes nothing."""

    began: int
    happenings: tuple[Happening, ...]
    failures: tuple[Failure, ...]


def scene(sent: Simulate, plan: Plan, now: int, present: Sequence[Silence]) -> Scene:
    """What was sent, as a simulation takes it; `present` are the silences that there are.

    Raises:
        ProblemError: 400 with the field that cannot be meant.
    """
    given = _given(sent, now)
    began = given.began
    silences = _silences(sent, began, present)
    answers = [
        Said(began + one.at, _answer(f"answers.{place}", one, began, plan), one.incident)
        for place, one in enumerate(sent.answers)
    ]
    found: list[Happening] = [*silences, *given.arrived, *answers]
    found.sort(key=attrgetter("at"))  # of one moment silences come first, answers last
    return Scene(began, tuple(found), tuple(_failures(sent.failures, began, plan)))


def _given(sent: Simulate, now: int) -> Given:
    at = now if sent.at is None else sent.at
    if not 0 <= at < LATEST - LONGEST:
        raise refusal("at", "it is too far away; expected a time in the years 1970 to 9998")
    alone = OneAlert(labels=sent.labels, annotations=sent.annotations) if sent.labels else None
    arrived = []
    for place, one in enumerate([alone] if alone else sent.alerts or ()):
        where = "" if alone else f"alerts.{place}."
        if one.at > LONGEST:
            raise refusal(f"{where}at", "a simulation lasts 7 days; expected an earlier beginning")
        try:
            arrived += one_alert(one.labels, at + one.at, one.fires or sent.fires, one.annotations)
        except GivenError as error:
            raise refusal(f"{where}labels", str(error)) from None
    return gathered(together(arrived))


def _answer(where: str, one: OneAnswer, began: int, plan: Plan) -> Answer:
    users = plan.directory.users

    def who(field: str, name: str) -> str:
        if users and name not in users:
            near = did_you_mean(name, users)
            raise refusal(f"{where}.{field}", f"the configuration has no user {name!r}{near}")
        return name

    if one.ack:
        until = began + one.at + one.for_ if one.for_ else 0
        return Acknowledged(who("ack", one.ack), VIA, until)
    if one.unack:
        return Unacknowledged(who("unack", one.unack), VIA)
    if one.resolve:
        return Resolved(who("resolve", one.resolve), VIA)
    return Escalated(who("escalate", one.escalate or ""), VIA)


def _silences(sent: Simulate, began: int, present: Sequence[Silence]) -> Iterator[SilencesChanged]:
    if isinstance(sent.silences, str):
        yield SilencesChanged(began, tuple(present))
        return
    made: list[Silence] = []
    for place, one in enumerate(sent.silences):
        where = f"silences.{place}.matchers"
        try:
            matchers = parse_matchers(one.matchers)
            check_matchers(matchers)
        except MatcherError as error:
            raise refusal(where, f"at character {error.column}, {error}") from None
        except InvalidSilenceError as error:
            raise refusal(where, str(error)) from None
        starts = began + one.at
        ends = starts + (one.for_ or 2 * LONGEST)
        made.append(Silence(str(place + 1), matchers, starts, ends, VIA, "", began))
    if made:
        yield SilencesChanged(began, tuple(made))


def _failures(sent: Iterable[OneFailure], began: int, plan: Plan) -> Iterator[Failure]:
    known = [*KINDS, *plan.receivers, *plan.directory.users]
    for place, one in enumerate(sent):
        if one.what not in known:
            message = (
                f"the configuration has no {one.what!r}; expected {', '.join(KINDS)}, or a receiver or user"
            )
            raise refusal(f"failures.{place}.what", message + did_you_mean(one.what, known))
        since = began + one.at
        yield Failure(one.what, since, since + (one.for_ or 2 * LONGEST), one.refused)
