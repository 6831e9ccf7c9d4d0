"""`/tocsin` in Slack: `list`, `ack 42`, `snooze 42 1h`, `oncall`, `override`, and what it answers.

Commands are for a person who types: short, and told what was expected where they are not understood. Answers
go through `slack_acts.py`, overrides through `gateway/oncall.py`. Times are milliseconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticCustomError

from config.problems import did_you_mean
from config.values import parse_duration
from gateway.slack_acts import VIA, morning
from gateway.slack_people import Person, named
from gateway.store import reading
from gateway.store.overrides import TooManyOverridesError, UnknownOverrideError
from receivers.filters import slack as escaped
from receivers.filters import truncated
from receivers.slack_markup import moment
from routing import oncall
from routing.incident_records import Noted
from routing.oncall import Override

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.schema import Config
    from gateway.oncall import OnCall
    from gateway.slack_acts import SlackActs
    from gateway.store.store import Store
    from receivers.slack_buttons import What

LISTED: Final = 20
AT_ONCE: Final = 10
MAX_NOTE: Final = 1_000
SCHEDULES: Final = 20

_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,14})", re.ASCII)
_SIMPLE: Final[dict[str, What]] = {
    "ack": "ack", "acknowledge": "ack", "unack": "unack", "resolve": "resolve", "escalate": "escalate",
}  # fmt: skip

HELP: Final = """*Incidents*
`list` what is open
`show 42` how it stands, and its timeline
`ack 42` you have it · `unack 42` nobody has it after all · `resolve 42` it is over
`snooze 42 1h` you have it for that time; `snooze 42 morning` until 8 o'clock
`escalate 42` the next step now · `note 42 the disk is replaced at noon` a line for the timeline
*On call*
`oncall` who it is now, in all schedules · `oncall backend` in one
`override backend me 4h` you are on call there from now on; `override backend dana 4h for erin` replaces one
`override remove ID` it ends now"""


class NotUnderstoodError(Exception):
    """What was typed makes no sense; the message says what was expected, in Slack's notation."""


class SlackCommands:
    """Does what is typed after `/tocsin`."""

    def __init__(self, store: Store, acts: SlackActs, on_call: OnCall, config: Callable[[], Config]) -> None:
        self._store = store
        self.acts = acts
        self._on_call = on_call
        self._config = config

    async def run(self, text: str, who: Person) -> str:
        """What is to be said to who typed it, in Slack's notation. Raises `StoreUnavailableError`."""
        command, *words = text.split() or ["help"]
        try:
            return await self._run(command.lower(), words, who)
        except NotUnderstoodError as error:
            return str(error)

    async def _run(self, command: str, words: list[str], who: Person) -> str:
        match command:
            case "help":
                return HELP
            case "list":
                return await self._list()
            case "show":
                return "\n\n".join(
                    [await self.acts.show(number) for number in _numbers("show 42", words)[:3]]
                )
            case "snooze":
                return await self._snooze(words, who)
            case "note":
                return await self._note(words, who)
            case "oncall" | "on-call":
                return await self._who_is_on_call(words)
            case "override":
                return await self._override(words, who)
            case _ if command in _SIMPLE:
                what = _SIMPLE[command]
                numbers = _numbers(f"{command} 42", words)
                return "\n".join([await self.acts.give(number, what, who) for number in numbers])
        known = [*_SIMPLE, "list", "show", "snooze", "note", "oncall", "override", "help"]
        near = did_you_mean(command, known)
        raise NotUnderstoodError(f"There is no command `{_shown(command)}`{near}\n{HELP}")

    # --- incidents ------------------------------------------------------------------------------------

    async def _list(self) -> str:
        found = await reading.incidents(self._store, "open", LISTED + 1)
        if not found:
            return "No incident is open."
        more = ["_and more_"] if len(found) > LISTED else []
        return "\n".join([*(self.acts.line(one) for one in found[:LISTED]), *more])

    async def _snooze(self, words: list[str], who: Person) -> str:
        *before, length = words or [""]
        numbers = _numbers("snooze 42 1h", before)
        now = await self._store.now()
        until = morning(now, who) if length in ("morning", "tomorrow") else now + _duration(length)
        return "\n".join([await self.acts.give(number, "snooze", who, until) for number in numbers])

    async def _note(self, words: list[str], who: Person) -> str:
        [number] = _numbers("note 42 TEXT", words[:1])
        if not (text := truncated(" ".join(words[1:]), MAX_NOTE)):
            raise NotUnderstoodError("There is nothing to note; expected `note 42 TEXT`.")
        return await self.acts.answer(number, Noted(who.by, VIA, text))

    # --- on call --------------------------------------------------------------------------------------

    async def _who_is_on_call(self, words: list[str]) -> str:
        schedules = self._on_call.schedules
        if not schedules:
            return "There are no schedules in the configuration."
        names = [self._schedule(word) for word in words[:AT_ONCE]] or sorted(schedules)[:SCHEDULES]
        now = await self._store.now()
        return "\n".join(self._on_call_line(name, now) for name in names)

    def _on_call_line(self, name: str, now: int) -> str:
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
        raise NotUnderstoodError(f"{what} `{_shown(word)}`; expected one of {expected}.")

    async def _override(self, words: list[str], who: Person) -> str:
        if words[:1] == ["remove"]:
            return await self._remove(words[1:])
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
        end = now + _duration(length)
        wanted = Override("", name, now, end, (user,), instead_of, by=who.by, comment="from Slack")
        try:
            kept = await self._on_call.override_store.add(wanted)
        except TooManyOverridesError as error:
            raise NotUnderstoodError(f"{escaped(str(error))}.") from None
        await self._on_call.keep_up()
        return (
            f"{escaped(user)} is on call in *{escaped(name)}* until {moment(end)}"
            f"{f' instead of {escaped(instead_of)}' if instead_of else ''}."
            f" `override remove {kept.override.id}` ends it."
        )

    async def _remove(self, words: list[str]) -> str:
        if len(words) != 1:
            raise NotUnderstoodError("Expected `override remove ID`.")
        try:
            kept = await self._on_call.override_store.remove(words[0])
        except UnknownOverrideError:
            raise NotUnderstoodError(f"There is no override `{_shown(words[0])}`.") from None
        await self._on_call.keep_up()
        name = kept.override.schedule
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
            f"There is no user `{_shown(word)}`{near}; expected the name of one, or `me`."
        )


def _numbers(example: str, words: list[str]) -> list[int]:
    found = [_NUMBER.fullmatch(word) for word in words]
    numbers = [int(one[1]) for one in found if one]
    if not numbers or len(numbers) < len(words) or len(numbers) > AT_ONCE:
        got = f"`{_shown(' '.join(words))}`" if words else "nothing"
        raise NotUnderstoodError(f"Expected the number of an incident, such as `{example}`; got {got}.")
    return list(dict.fromkeys(numbers))


def _duration(word: str) -> int:
    try:
        length = parse_duration(word)
    except PydanticCustomError:
        length = 0
    if length <= 0:
        raise NotUnderstoodError(f"Expected for how long, such as `30m`, `4h` or `2d`; got `{_shown(word)}`.")
    return length


def _shown(word: str) -> str:
    """What was typed, so that it can neither ping nor break the line."""
    return escaped(truncated(word, 60)).replace("`", "'") or " "
