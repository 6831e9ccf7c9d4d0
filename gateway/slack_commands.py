"""`/tocsin` in Slack: `list`, `ack 42`, `snooze 42 1h`, `oncall`, `override`, and what it answers.

Commands are for a person who types: short, and told what was expected where they are not understood. Answers
go through `slack_acts.py`; who is on call is `slack_on_call.py`'s. Times are milliseconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from config.problems import did_you_mean
from gateway.slack_acts import VIA, morning
from gateway.slack_words import NotUnderstoodError, duration, shown
from gateway.store import reading
from receivers.filters import truncated
from routing.events import Noted

if TYPE_CHECKING:
    from gateway.slack_acts import SlackActs
    from gateway.slack_on_call import SlackOnCall
    from gateway.slack_people import Person
    from gateway.store.store import Store
    from receivers.slack_buttons import What

LISTED: Final = 20
AT_ONCE: Final = 10
MAX_NOTE: Final = 1_000

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


class SlackCommands:
    """Does what is typed after `/tocsin`."""

    def __init__(self, store: Store, acts: SlackActs, on_call: SlackOnCall) -> None:
        self._store = store
        self.acts = acts
        self._on_call = on_call

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
                return await self._on_call.who(words)
            case "override":
                return await self._on_call.override(words, who)
            case _ if command in _SIMPLE:
                what = _SIMPLE[command]
                numbers = _numbers(f"{command} 42", words)
                return "\n".join([await self.acts.give(number, what, who) for number in numbers])
        known = [*_SIMPLE, "list", "show", "snooze", "note", "oncall", "override", "help"]
        near = did_you_mean(command, known)
        raise NotUnderstoodError(f"There is no command `{shown(command)}`{near}\n{HELP}")

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
        until = morning(now, who) if length in ("morning", "tomorrow") else now + duration(length)
        return "\n".join([await self.acts.give(number, "snooze", who, until) for number in numbers])

    async def _note(self, words: list[str], who: Person) -> str:
        [number] = _numbers("note 42 TEXT", words[:1])
        if not (text := truncated(" ".join(words[1:]), MAX_NOTE)):
            raise NotUnderstoodError("There is nothing to note; expected `note 42 TEXT`.")
        return await self.acts.answer(number, Noted(who.by, VIA, text))


def _numbers(example: str, words: list[str]) -> list[int]:
    found = [_NUMBER.fullmatch(word) for word in words]
    numbers = [int(one[1]) for one in found if one]
    if not numbers or len(numbers) < len(words) or len(numbers) > AT_ONCE:
        got = f"`{shown(' '.join(words))}`" if words else "nothing"
        raise NotUnderstoodError(f"Expected the number of an incident, such as `{example}`; got {got}.")
    return list(dict.fromkeys(numbers))
