"""One attempt to bring a channel to what a message wants to show, with a bot token.

Finds out what is there already (`slack_lookup.py`, where that is not known), posts, answers in the thread and
edits. What is heard and what is silent is said in `slack.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from receivers.base import Refused, Retry, Sent
from receivers.slack_answers import LAYOUT_ERRORS, LOST_ERRORS, SlackError, call
from receivers.slack_lookup import Lookup, Place, metadata, remembered
from receivers.slack_message import thread_line, timeline_lines, whole_message
from receivers.slack_standing import mark, unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.schema import SlackConfig
    from receivers.base import Message, Outcome
    from receivers.render import Renderer
    from receivers.slack_message import Look
    from receivers.slack_standing import Lines

LINES_S: Final = 5  # for the lines of the timeline: they must not cost the attempt its time

_LINES: Final = "lines"


def author(config: SlackConfig) -> dict[str, str]:
    """Whom a message shows as its author, where that is configured."""
    given = {"username": config.username, "icon_emoji": config.icon_emoji, "icon_url": config.icon_url}
    return {name: value for name, value in given.items() if value}


class Telling:
    """One attempt: created for it and thrown away after `tell`."""

    def __init__(
        self, client: Any, config: SlackConfig, message: Message, renderer: Renderer, lookup: Lookup
    ) -> None:
        self._client = client
        self._config = config
        self._message = message
        self._renderer = renderer
        self._lookup = lookup
        self._told = _told(message)
        self._notes: list[str] = []

    async def tell(self, memory: Mapping[str, Any]) -> Outcome:
        """Do what is missing. See `Receiver.send` for `memory` and what comes back."""
        place = remembered(memory)
        unknown = bool(memory.get("unknown"))
        try:
            if place is None and unknown:
                place = await self._lookup.message(
                    self._config.channel, self._message.delivery, self._message.opened_at
                )
            if place is None:
                place = await self._post()
            else:
                await self._say_again(place, unknown=unknown)
                place = await self._edit(place)
                await self._write_lines(place)
        except SlackError as error:
            return _kept(error.outcome, place, unknown=unknown)
        notes = dict.fromkeys((*self._lookup.notes, *self._notes))
        return Sent(place.memory(), note="; ".join(notes))

    async def _post(self) -> Place:
        look = await self._look(whole_message, new=True)
        posted = await self._speak(look, channel=self._config.channel)
        self._lookup.remember(self._config.channel, posted["channel"])
        return Place(posted["channel"], posted["ts"], self._told)

    async def _say_again(self, place: Place, *, unknown: bool) -> None:
        """A reply for a ring (or, if wanted, the end) that was not told yet."""
        if self._message.kind == "update" or self._told == place.told:
            return
        if self._message.kind == "end" and not self._config.send_resolved:
            return
        if not (unknown and await self._lookup.reply(place, self._message.delivery, self._told)):
            lines = self._unwritten(place)
            look = await self._look(thread_line, lines=lines)
            where = {"channel": place.channel, "thread_ts": place.ts}
            try:
                await self._speak(look, **where, reply_broadcast=self._message.kind == "ring")
            except SlackError as error:
                if error.code in LOST_ERRORS:
                    return  # the edit finds that out too, and posts anew
                raise
            self._wrote(place)
        place.told = self._told

    async def _write_lines(self, place: Place) -> None:
        """The timeline's new lines, as one quiet reply. Whatever becomes of it, the message was told.

        Where nobody knows whether they arrived they are not written again: they stand in the timeline.
        """
        if not (lines := self._unwritten(place)):
            return
        look = timeline_lines(self._message, lines)
        try:
            async with asyncio.timeout(LINES_S):
                await self._speak(look, told=_LINES, channel=place.channel, thread_ts=place.ts)
        except SlackError as error:
            if isinstance(error.outcome, Refused):
                self._notes.append(f"the thread lacks lines of the timeline: {error.outcome.reason}")
            elif not error.outcome.unknown:
                return
        except TimeoutError:
            pass
        self._wrote(place)

    def _unwritten(self, place: Place) -> Lines:
        """What the thread has still to hear; without a policy the message itself says it all."""
        if not self._message.escalates:
            return ()
        return unwritten(self._message.history, place.lines_to, place.lines_at)

    def _wrote(self, place: Place) -> None:
        place.lines_to, place.lines_at = mark(self._message.history)

    async def _edit(self, place: Place) -> Place:
        look = await self._look(whole_message, new=False)
        try:
            await self._call("chat_update", look, channel=place.channel, ts=place.ts)
        except SlackError as error:
            if error.code not in LOST_ERRORS:
                raise
            if self._message.held_by or (self._message.kind == "end" and not self._config.send_resolved):
                what = "the end" if self._message.kind == "end" else "that it is held"
                self._notes.append(f"{what} is not shown: the message is gone from Slack ({error.code})")
                return place
            self._notes.append(f"posted anew: the earlier message is gone from Slack ({error.code})")
            return await self._post()
        return place

    async def _look(self, make: Callable[..., Look], **how: Any) -> Look:
        # In a thread: a template of the user's may take a second.
        look = await asyncio.to_thread(make, self._config, self._message, self._renderer, **how)
        self._notes += look.notes
        return look

    async def _speak(self, look: Look, *, told: str = "", **where: Any) -> Mapping[str, Any]:
        carried = metadata(self._message.delivery, told or self._told)
        quiet = {"unfurl_links": False, "unfurl_media": False}
        return await self._call(
            "chat_postMessage", look, metadata=carried, **quiet, **author(self._config), **where
        )

    async def _call(self, method: str, look: Look, **arguments: Any) -> Mapping[str, Any]:
        """Post or edit; where Slack refuses the layout, the plain text still goes out."""
        # By default an edit is parsed for names, and an "@channel" in a label would be a link.
        arguments |= {"parse": "none", "link_names": False}
        try:
            return await call(self._client, method, **look.arguments(), **arguments)
        except SlackError as error:
            if error.code not in LAYOUT_ERRORS:
                raise
            self._notes.append(f"sent as plain text: Slack refused the layout ({error.code})")
        return await call(self._client, method, text=look.text, blocks=[], attachments=[], **arguments)


def _told(message: Message) -> str:
    """What names a ring, or the end after it, across repeats of an attempt."""
    return f"{'end' if message.kind == 'end' else 'ring'} {message.ring}"


def _kept(outcome: Outcome, place: Place | None, *, unknown: bool) -> Outcome:
    """Keeps what is known of the place. What was unknown stays so until an attempt succeeds."""
    if not isinstance(outcome, Retry):
        return outcome
    return replace(outcome, memory=place.memory() if place else None, unknown=outcome.unknown or unknown)
