"""The sections of schedules: who is on call when, in layers, with overrides and calendars.

The texts are kept as written; `schedule` turns a section into what `routing/oncall.py` works with. Calendars
are only named here, by `calendars`: what stands in them is read by whoever needs it. What names a user, and
which keys go together, checks `schedule_rules.py`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from config.intervals import Location, Time, Weekdays
from config.people import Shorter
from config.section import Section
from config.values import Name, SecretFile, SecretUrl, quote, wrong
from routing.calendar_syntax import parse_time, parse_weekdays
from routing.oncall import Layer, Override, Schedule
from routing.rotation import Restriction, Rotation, Unit
from routing.wall_clock import end_at, start_at

WORDS: Final = {"daily": "1d", "weekly": "1w"}
BY: Final = "the configuration"  # who made the overrides that stand in the file
_EVERY: Final = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
_ALWAYS: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows has no zone


def local_time(text: str) -> datetime:
    """What a clock on a wall shows: `2026-11-02`, `2026-11-02 09:00`."""
    expected = "a date such as 2026-11-02, or with a time, by the schedule's clock, such as 2026-11-02 09:00"
    try:
        if _LOCAL.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        raise wrong(f"there is no such time as {quote(text)}", expected) from None
    raise wrong(f"{quote(text)} is no such time", expected)


def parse_every(text: str) -> tuple[int, str]:
    """`2w` as (2, "w"); the words `daily` and `weekly` are `1d` and `1w`."""
    found = _EVERY.fullmatch(WORDS.get(text, text))
    if found is None:
        raise wrong(
            f"{quote(text)} is no length of a turn", "daily, weekly, or a number of h, d or w such as 2w"
        )
    return int(found[1]), found[2]


def _checked(parse: Any) -> AfterValidator:
    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _alone(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


LocalTime = Annotated[str, _checked(local_time)]
Every = Annotated[str, _checked(parse_every)]
Together = Annotated[
    tuple[Name, ...], BeforeValidator(_alone), Shorter({"type": "string"}), Field(min_length=1)
]


class RestrictionConfig(Section):
    """A part of the week, by the clock on the wall. An end that is not after the start is the next day's."""

    weekdays: tuple[Weekdays, ...] = Field((), description="On which it begins: saturday, monday:friday.")
    start_time: Time = Field("00:00", description="HH:MM, such as 18:00.")
    end_time: Time = Field("24:00", description="HH:MM, at most 24:00; 08:00 after 18:00 is the next day's.")


class HolidaysConfig(Section):
    """Days on which a layer does not count, or on which others are on call."""

    ical: SecretUrl | None = Field(None, description="Address of an iCal calendar.")
    ical_file: SecretFile | None = Field(None, description="An iCal file.")
    people: Together | None = Field(
        None, description="Who is on call then, all of them; not given: whoever a lower layer has."
    )


class LayerConfig(Section):
    """People who take turns, or a calendar that says who. Of layers the last that has somebody counts."""

    name: str = ""
    people: tuple[Together, ...] = Field((), description="Turn by turn; a list in it is on call together.")
    start: LocalTime | None = Field(
        None,
        description="When the first turn begins: the time of day of every shift change, and its weekday.",
    )
    every: Every = Field("1w", description="How long a turn is: daily, weekly, or such as 12h, 3d, 2w.")
    hours: Literal["elapsed", "wall"] = Field(
        "elapsed",
        description="With every in hours: always equally long, or at the same times of day all year.",
    )
    restrictions: tuple[RestrictionConfig, ...] = Field((), description="Only in one of these.")
    ical: SecretUrl | None = Field(None, description="Address of an iCal calendar that says who is on call.")
    ical_file: SecretFile | None = Field(None, description="An iCal file that says who is on call.")
    holidays: HolidaysConfig | None = None
    time_zone: Location | None = Field(None, description="Not given: the schedule's.")
    valid_from: LocalTime | None = Field(None, description="Before it, the layer has nobody.")
    valid_until: LocalTime | None = Field(None, description="From then on, the layer has nobody.")


class OverrideConfig(Section):
    """Others are on call for a while."""

    start: LocalTime
    end: LocalTime
    people: Together
    instead_of: Name | None = Field(None, description="Only this person is replaced; not given: all are.")
    comment: str = ""


class ScheduleConfig(Section):
    """Who is on call when."""

    name: Name
    time_zone: Location = Field("UTC", description="Where its clocks hang, such as Europe/Berlin.")
    layers: tuple[LayerConfig, ...] = Field(min_length=1)
    overrides: tuple[OverrideConfig, ...] = ()


def schedule(section: ScheduleConfig) -> Schedule:
    """The schedule as routing works with it, without what stands in calendars."""
    return Schedule(
        name=section.name,
        time_zone=section.time_zone,
        layers=tuple(_layer(layer, section.time_zone) for layer in section.layers),
        overrides=tuple(
            Override(
                id=f"{section.name}[{number}]",
                schedule=section.name,
                start=start_at(local_time(one.start), section.time_zone),
                end=end_at(local_time(one.end), section.time_zone),
                people=one.people,
                instead_of=one.instead_of or "",
                by=BY,
                comment=one.comment,
            )
            for number, one in enumerate(section.overrides, 1)
        ),
    )


def _layer(section: LayerConfig, location: str) -> Layer:
    location = section.time_zone or location
    until = section.valid_until
    return Layer(
        name=section.name,
        rotations=(_rotation(section),) if section.people else (),
        time_zone=section.time_zone or "",
        valid_from=start_at(local_time(section.valid_from), location) if section.valid_from else None,
        valid_until=end_at(local_time(until), location) if until else None,
    )


def _rotation(section: LayerConfig) -> Rotation:
    count, letter = parse_every(section.every)
    units: dict[str, Unit] = {
        "h": "elapsed_hours" if section.hours == "elapsed" else "wall_hours",
        "d": "days",
        "w": "weeks",
    }
    return Rotation(
        people=section.people,
        start=local_time(section.start) if section.start else _ALWAYS,
        every=count,
        unit=units[letter],
        restrictions=tuple(map(_restriction, section.restrictions)),
    )


def _restriction(section: RestrictionConfig) -> Restriction:
    return Restriction(
        weekdays=tuple(map(parse_weekdays, section.weekdays)),
        start=parse_time(section.start_time),
        end=parse_time(section.end_time),
    )


# --- calendars -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calendar:
    """An iCal calendar that a layer names.

    Attributes:
        id: of its address, the same wherever it is named.
        where: what people are shown: the file, or of an address, which may be secret, only its server.
        layer: position of the layer in its schedule.
        holidays: whose spans these are: the layer's holidays, or those on call.
        people: who is on call in the holidays.
        location: where a time without a zone belongs.
    """

    id: str
    url: SecretStr | None
    file: Path | None
    where: str
    layer: int
    holidays: bool
    people: tuple[str, ...]
    location: str


def calendars(section: ScheduleConfig) -> tuple[Calendar, ...]:
    """The calendars of a schedule, in the order of its layers."""
    found = []
    for position, layer in enumerate(section.layers):
        location = layer.time_zone or section.time_zone
        if layer.ical or layer.ical_file:
            found.append(_calendar(layer.ical, layer.ical_file, position, location))
        if (days := layer.holidays) and (days.ical or days.ical_file):
            found.append(_calendar(days.ical, days.ical_file, position, location, days.people or ()))
    return tuple(found)


def _calendar(
    url: SecretStr | None, file: Path | None, layer: int, location: str, people: tuple[str, ...] | None = None
) -> Calendar:
    address = url.get_secret_value() if url else str(file)
    parts = urlsplit(address)
    return Calendar(
        id=sha256(address.encode()).hexdigest()[:16],
        url=url,
        file=None if url else file,
        where=f"{parts.scheme}://{parts.hostname}/…" if url else str(file),
        layer=layer,
        holidays=people is not None,
        people=people or (),
        location=location,
    )
