"""Presses of buttons and commands from Slack: who may, each acted on once, and what is said in answer.

They come over signed HTTP (`slack_in.py`) or Socket Mode (`slack_socket.py`), where several replicas may hold
a connection. An event is known by its trigger: whoever takes it first acts. The work is done in tasks of our
own, and what is said about it goes to the event's `response_url`. What a press does is decided in
`slack_acts.py`, what a command does in `slack_commands.py`.

Rules: Slack's "Handling user interaction" and "Enabling slash commands" (the payloads).
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
import structlog

from gateway.slack_people import Person, person
from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError
from receivers.slack_buttons import pressed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from config.schema import Config
    from gateway.slack_commands import SlackCommands
    from gateway.slack_web import SlackWeb
    from gateway.store.store import Store

log = structlog.get_logger()

Kind = Literal["interactive", "slash_commands"]

WORK_S: Final = 20.0
AT_ONCE: Final = 200
SEEN_S: Final = 900  # longer than a signature can be used: from 300 s before its time to 300 s after
_TEXT: Final = 3_000  # of any text that is read from a payload


class NotTakenError(Exception):
    """An event that is not acted on; the message says why, `status` how HTTP says it."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class SlackEvents:
    """One process's ear for Slack."""

    def __init__(
        self, store: Store, config: Callable[[], Config], commands: SlackCommands, slack: SlackWeb
    ) -> None:
        """`config` is the configuration in force; `slack` is where answers go."""
        self._store = store
        self._config = config
        self._commands = commands
        self._web = slack
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, kind: Kind, payload: Any) -> None:
        """Takes an event over; it is done when this has returned.

        Raises:
            NotTakenError: it must not be acted on.
            StoreUnavailableError: nobody can say whether it is new.
        """
        event = await self._admit(kind, payload)
        self._begin(self._act(kind, event))

    def hear(self, kind: str, payload: Any) -> None:
        """Takes an event that came over a connection of ours and was acknowledged already."""
        if kind == "interactive":
            self._begin(self._hear("interactive", payload))
        elif kind == "slash_commands":
            self._begin(self._hear("slash_commands", payload))

    async def _hear(self, kind: Kind, payload: Any) -> None:
        try:
            event = await self._admit(kind, payload)
        except NotTakenError as error:
            log.info("slack.not_taken", reason=str(error))
        except StoreUnavailableError as error:
            await self._say(payload, f"Nothing was done: {error}. Try again in a moment.")
        else:
            await self._act(kind, event)

    async def _admit(self, kind: Kind, payload: Any) -> dict[str, Any]:
        if not isinstance(payload, dict):
            raise NotTakenError(HTTPStatus.BAD_REQUEST, "this is no event of Slack's")
        teams = self._config().slack.team_id
        found = {text(payload, "team_id"), text(payload, "team", "id"), text(payload, "enterprise", "id")}
        if teams and not found.intersection(teams):
            raise NotTakenError(HTTPStatus.FORBIDDEN, "it comes from a workspace that may not answer here")
        if len(self._tasks) > AT_ONCE:
            raise NotTakenError(HTTPStatus.SERVICE_UNAVAILABLE, "too much comes at once")
        key = keys.slack_event(_identity(kind, payload))
        if not await self._store.write("SET", key, "", "NX", "EX", SEEN_S):
            raise NotTakenError(HTTPStatus.CONFLICT, "it was taken before")
        return payload

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act(self, kind: Kind, payload: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(WORK_S):
                said = await self._said(kind, payload)
        except StoreUnavailableError as error:
            said = f"That did not work: {error}. Try again in a moment."
        except TimeoutError:
            said = "That took too long; look at the incident before you try again."
        except Exception:
            log.exception("slack.failed")
            said = "Something went wrong in Tocsin; its log says what."
        if said:
            await self._say(payload, said)

    async def _said(self, kind: Kind, payload: dict[str, Any]) -> str:
        """Does what is asked for, and says what became of it; "" for nothing of ours."""
        config = self._config()
        who = person(config, kind, payload)
        if kind == "slash_commands":
            return _refused(config, who) or await self._commands.run(text(payload, "text"), who)
        if payload.get("type") != "block_actions":
            return ""
        actions = payload.get("actions")
        for action in actions[:1] if isinstance(actions, list) else ():
            if isinstance(action, dict) and (press := pressed(action)):
                where = (text(payload, "container", "channel_id"), text(payload, "container", "message_ts"))
                return _refused(config, who) or await self._commands.acts.press(press, who, *where)
        return ""

    async def _say(self, payload: Any, said: str) -> None:
        if isinstance(payload, dict) and (url := text(payload, "response_url")):
            await self._web.whisper(url, said)

    async def stop(self, within_s: float) -> None:
        """Lets what was taken be done for so long, then breaks it off."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _refused(config: Config, who: Person) -> str:
    if who.user or config.slack.unknown_users == "allow":
        return ""
    log.warning("slack.unknown_user", user=who.slack_id)
    return (
        f"You are not known here, so nothing was done. Your member id, `{who.slack_id}`, has to be the"
        " `slack_id` of a user in Tocsin's configuration."
    )


def _identity(kind: Kind, payload: dict[str, Any]) -> str:
    """The trigger's id, which Slack makes for each press and command; else all that came."""
    trigger = text(payload, "trigger_id") or orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()
    return blake2b(f"{kind} {trigger}".encode(), digest_size=16).hexdigest()


def text(payload: Mapping[str, Any], *path: str) -> str:
    """The text at a place in a payload, not endless; "" where there is none."""
    here: Any = payload
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here[:_TEXT] if isinstance(here, str) else ""
