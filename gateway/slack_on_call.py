"""`/tocsin oncall` and `/tocsin override` in Slack: who is on call, and somebody else instead.

Overrides go to the store as from anywhere else, and count at once. Times are milliseconds.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from config.problems import did_you_mean
from gateway.slack_people import named
from gateway.slack_words import NotUnderstoodError, duration, shown
from gateway.store.overrides import TooManyOverridesError, UnknownOverrideError
from receivers.filters import slack as escaped
from receivers.slack_markup import moment
from routing import oncall
from routing.oncall import Override

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.schema import Config
    from gateway.oncall import OnCall
    from gateway.slack_people import Person
    from gateway.store.store import Store

log = structlog.get_logger()

SCHEDULES: Final = 20


class SlackOnCall:
    """What people ask and change in Slack about who is on call."""

    def __init__(self, store: Store, on_call: OnCall, config: Callable[[], Config]) -> None:
        self._store = store
        self._on_call = on_call
        self._config = config

    async def who(self, words: list[str]) -> str:
        """Who is on call in the schedules that are named, or in all. Raises `NotUnderstoodError`."""
        schedules = self._on_call.schedules
        if not schedules:
            return "There are no schedules in the configuration."
        names = [self._schedule(word) for word in words[:SCHEDULES]] or sorted(schedules)[:SCHEDULES]
        now = await self._store.now()
        return "\n".join([await asyncio.to_thread(self._line, name, now) for name in names])

    def _line(self, name: str, now: int) -> str:
        schedule, overrides = self._on_call.schedules[name], self._on_call.overrides(name)
        line = f"*{escaped(name)}*: {self._people(name, now)}"
        change = oncall.next_change(schedule, now, overrides)
        return line if change is None else f"{line} until {moment(change)}, then {self._people(name, change)}"

    def _people(self, name: str, at: int) -> str:
        return escaped(", ".join(self._on_call.people(name, at))) or "nobody"

    def _schedule(self, word: str) -> str:
        known = self._on_call.schedules
        found = [name for name in known if name.lower() == word.lower()]
        found = found or [name for name in known if name.lower().startswith(word.lower())]
        if len(found) == 1:
            return found[0]
        expected = (
            ", ".join(f"`{escaped(name)}`" for name in sorted(found or known)[:SCHEDULES])
            or "none is configured"
        )
        what = "Several schedules begin with" if found else "There is no schedule"
        raise NotUnderstoodError(f"{what} `{shown(word)}`; expected one of {expected}.")

    async def override(self, words: list[str], who: Person) -> str:
        """Puts somebody on call, or ends an override. Raises `NotUnderstoodError`."""
        if words[:1] == ["remove"]:
            return await self._remove(words[1:], who)
        match words:
            case [schedule, person, length]:
                instead_of = ""
            case [schedule, person, length, "for" | "instead-of", other]:
                instead_of = self._user(other, who)
            case _:
                raise NotUnderstoodError(
                    "Expected `override SCHEDULE PERSON 4h`, or with `for PERSON` behind it where only one of"
                    " several is replaced; the person may be `me`."
                )
        name, user = self._schedule(schedule), self._user(person, who)
        now = await self._store.now()
        end = now + duration(length)
        wanted = Override("", name, now, end, (user,), instead_of, by=who.by, comment="from Slack")
        try:
            kept = await self._on_call.override_store.add(wanted)
        except TooManyOverridesError as error:
            raise NotUnderstoodError(f"{escaped(str(error))}.") from None
        await self._on_call.keep_up()
        log.info("override.added", id=kept.override.id, schedule=name, people=[user], by=who.by)
        return (
            f"{escaped(user)} is on call in *{escaped(name)}* until {moment(end)}"
            f"{f' instead of {escaped(instead_of)}' if instead_of else ''}."
            f" `override remove {kept.override.id}` ends it."
        )

    async def _remove(self, words: list[str], who: Person) -> str:
        if len(words) != 1:
            raise NotUnderstoodError("Expected `override remove ID`.")
        try:
            kept = await self._on_call.override_store.remove(words[0])
        except UnknownOverrideError:
            raise NotUnderstoodError(f"There is no override `{shown(words[0])}`.") from None
        await self._on_call.keep_up()
        name = kept.override.schedule
        log.info("override.removed", id=kept.override.id, schedule=name, by=who.by)
        now = await self._store.now()
        return f"It has ended: {self._people(name, now)} is on call in *{escaped(name)}* now."

    def _user(self, word: str, who: Person) -> str:
        user = who.user if word.lower() == "me" else named(self._config(), word)
        if user is not None:
            return user.name
        if word.lower() == "me":
            raise NotUnderstoodError(
                "You are no user in the configuration, so you cannot be on call; name one."
            )
        names = [user.name for user in self._config().users]
        near = escaped(did_you_mean(word.removeprefix("@"), names))
        raise NotUnderstoodError(
            f"There is no user `{shown(word)}`{near}; expected the name of one, or `me`."
        )
