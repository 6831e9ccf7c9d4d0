"""The sections of time intervals: when a route is mute, and outside of which times it is not active.

The texts are kept as written; `interval` turns a section into what `routing/calendar.py` works with.

Rules: Alertmanager's `timeinterval/timeinterval.go` and its configuration page.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.section import Section
from config.values import Name, wrong
from routing import calendar_syntax as syntax
from routing.calendar import Period, TimeInterval


def _written(parse: Callable[[str], Any]) -> AfterValidator:
    """A text that `parse` takes."""

    def check(text: str) -> str:
        _parsed(parse, text)
        return text

    return AfterValidator(check)


def _parsed(parse: Callable[..., Any], *texts: str) -> Any:
    try:
        return parse(*texts)
    except syntax.CalendarError as error:
        what, _, expected = str(error).partition("; expected ")
        raise wrong(what, expected) from None


Time = Annotated[str, _written(syntax.parse_time)]
Weekdays = Annotated[str, _written(syntax.parse_weekdays)]
DaysOfMonth = Annotated[str, _written(syntax.parse_days_of_month)]
Months = Annotated[str, _written(syntax.parse_months)]
Years = Annotated[str, _written(syntax.parse_years)]
Location = Annotated[str, _written(syntax.parse_location)]


class TimesConfig(Section):
    """A part of the day; the end is excluded. Over midnight it takes two of them."""

    start_time: Time = Field(description="HH:MM, such as 09:00.")
    end_time: Time = Field(description="HH:MM, at most 24:00.")

    @model_validator(mode="after")
    def _run_forwards(self) -> "TimesConfig":
        _parsed(syntax.parse_times, self.start_time, self.end_time)
        return self


class PeriodConfig(Section):
    """One entry of an interval: it contains what all of the fields that are given contain."""

    times: tuple[TimesConfig, ...] = ()
    weekdays: tuple[Weekdays, ...] = Field((), description="Names or ranges: saturday, monday:friday.")
    days_of_month: tuple[DaysOfMonth, ...] = Field((), description="1:5, or from the month's end -3:-1.")
    months: tuple[Months, ...] = Field((), description="Names, numbers or ranges: june, 1:3.")
    years: tuple[Years, ...] = Field((), description="2026 or 2026:2028.")
    location: Location = Field("UTC", description="A time zone such as Europe/Berlin, or Local.")


def _a_period(value: object) -> object:
    """An entry of nothing at all is legal in Alertmanager, and contains any time."""
    return {} if value is None else value


class TimeIntervalConfig(Section):
    """A named interval, for `mute_time_intervals` and `active_time_intervals` of routes."""

    name: Name
    time_intervals: tuple[Annotated[PeriodConfig, BeforeValidator(_a_period)], ...] = ()


def interval(section: TimeIntervalConfig) -> TimeInterval:
    """The interval as routing works with it."""
    periods = [_period(entry) for entry in section.time_intervals if not _never_holds(entry)]
    return TimeInterval(section.name, tuple(periods))


def _never_holds(section: PeriodConfig) -> bool:
    """Whether a list is given and empty: then no time is in it, as in Alertmanager."""
    return any(getattr(section, name) == () for name in section.model_fields_set)


def _period(section: PeriodConfig) -> Period:
    return Period(
        times=tuple(syntax.parse_times(times.start_time, times.end_time) for times in section.times),
        weekdays=tuple(map(syntax.parse_weekdays, section.weekdays)),
        days_of_month=tuple(map(syntax.parse_days_of_month, section.days_of_month)),
        months=tuple(map(syntax.parse_months, section.months)),
        years=tuple(map(syntax.parse_years, section.years)),
        location=syntax.parse_location(section.location),
    )
