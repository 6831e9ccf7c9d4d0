"""Time intervals by their documentation, with no thought of speed: every list written out, then looked up."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]


def plain_contains(interval, at):
    return any(_holds(period, at) for period in interval.periods)


def _holds(period, at):
    wall = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(period.location))
    shown = f"{wall:%H:%M}"
    times = [
        f"{minute // 60:02}:{minute % 60:02}" for begin, end in period.times for minute in range(begin, end)
    ]
    weekdays = [day for begin, end in period.weekdays for day in WEEK[begin : end + 1]]
    months = [month for begin, end in period.months for month in range(begin, end + 1)]
    years = [year for begin, end in period.years for year in range(begin, end + 1)]
    return (
        (shown in times or not period.times)
        and (WEEK[(wall.weekday() + 1) % 7] in weekdays or not period.weekdays)
        and (wall.day in _days(period, wall) or not period.days_of_month)
        and (wall.month in months or not period.months)
        and (wall.year in years or not period.years)
    )


def _days(period, wall):
    """The days of this month that are meant, by walking along the whole month from both of its ends."""
    first = date(wall.year, wall.month, 1)
    month = [day for day in (first + timedelta(at) for at in range(31)) if day.month == wall.month]
    position = {number + 1: number for number in range(31)} | {
        -number: len(month) - number for number in range(1, 32)
    }
    return [
        month[at].day
        for begin, end in period.days_of_month
        for at in range(position[begin], position[end] + 1)
        if 0 <= at < len(month)
    ]
