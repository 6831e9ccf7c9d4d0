"""The plan of a configuration for a simulation, on any machine: it sends nothing, so it needs no secrets.

A `${VAR}` that is not set is no problem here: its name stands where its value would, and where a name cannot
stand, the default does. Calendars that are files are read; those behind addresses are not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import BaseModel

from config.compile import compile_plan
from config.load import examine
from config.problems import ConfigError, Problem
from config.schedules import calendars
from config.variables import unset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from config.compile import Plan
    from config.document import Document
    from config.schedules import Calendar
    from config.schema import Config
    from routing.oncall import Span


@dataclass(frozen=True, slots=True)
class Planned:
    """What a file says. `notes` are sentences about what of it cannot count here."""

    plan: Plan
    document: Document
    config: Config
    notes: tuple[str, ...] = ()


def planned(file: Path, since: int, until: int, env: Mapping[str, str] = os.environ) -> Planned:
    """The plan of a configuration, with the calendars in files from `since` to `until` (ms).

    Raises:
        ConfigError: with all problems of the file.
    """
    document, config, problems = examine(file, env, without_env=True)
    if problems or document is None:
        raise ConfigError(problems)
    if config is None:
        missing = _unset(document, env, frozenset())
        message = f"this cannot be told without {_listed(missing)}; set what is not set in the environment"
        raise ConfigError([Problem(str(file), 1, 1, "", message)])
    plan, notes = _with_calendars(compile_plan(config), since, until)
    if missing := _unset(document, env, frozenset(_secrets(config))):
        one = len(missing) == 1
        notes.append(
            f"{_listed(missing)} {'is' if one else 'are'} not set; "
            f"{'its name stands' if one else 'their names stand'} for the value{'' if one else 's'}"
        )
    return Planned(plan, document, config, tuple(f"{file}: {note}" for note in notes))


def _unset(document: Document, env: Mapping[str, str], secrets: frozenset[str]) -> list[str]:
    """The variables without a value, but for those that stand in secrets: nobody is told these."""
    nodes = (node for path, node in document.walk() if node.stands_in and secrets.isdisjoint(path[-1:]))
    return sorted({name for node in nodes for name in unset(node.written, env)})


def _secrets(value: object) -> Iterator[str]:
    """The keys of a configuration under which secrets stand."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if "SecretStr" in str(field.annotation):
                yield field.alias or name
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _secrets(item)


def _with_calendars(plan: Plan, since: int, until: int) -> tuple[Plan, list[str]]:
    """The plan with what its calendars say, and what is wrong with them."""
    if not any(calendars(section) for section in plan.config.schedules):
        return plan, []
    from gateway import ical  # noqa: PLC0415 - few configurations name a calendar
    from gateway.named_calendars import calendars_of, file_text, users_of, with_calendars  # noqa: PLC0415

    notes: list[str] = []
    named = calendars_of(plan.config.schedules)
    said: dict[Calendar, tuple[Span, ...]] = {}
    for schedule, calendar in named:
        said[calendar] = ()
        try:
            found = ical.read(file_text(calendar), calendar, since, until, users_of(plan.config.users))
            said[calendar] = found.spans
            if found.unknown:
                nobody = _listed([*found.unknown])
                notes.append(
                    f"the calendar {calendar.where} of {schedule}: nobody among the users is {nobody}"
                )
        except ical.CalendarError as error:
            notes.append(f"the calendar {calendar.where} of {schedule} is left out: {error}")
    return replace(plan, schedules=with_calendars(plan, named, said.__getitem__)), notes


def _listed(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`; of many the first ones."""
    if len(names) > 5:
        return f"{', '.join(names[:4])} and {len(names) - 4} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
