"""Finds what an attempt with an unknown outcome may have posted.

Slack has no key against repeats, so what we post carries the delivery and the ring in its metadata, and the
newest pages of the channel, or the thread, are read for it. It posts nothing. Rules: Slack's "Message
metadata", `conversations.history`, `conversations.replies`, `conversations.list` and `conversations.open`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from receivers.base import Retry
from receivers.slack_answers import SlackError, call
from receivers.traits import CHANNEL_ID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

EVENT_TYPE: Final = "tocsin_delivery"
_PAGE: Final = 100
_PAGES: Final = 5
_CHANNEL_PAGE: Final = 900
_CHANNEL_PAGES: Final = 10
_SKEW_MS: Final = 300_000  # Slack's clock stamps its messages, ours the incident
_MEMBER_ID: Final = re.compile(r"[UW][A-Z0-9]{2,}")


@dataclass(slots=True)
class Place:
    """Where an incident's message is, which ring was told there last, and how far its thread has come.

    The thread holds the timeline up to the moment `lines_to` (ms), of which it has `lines_at` lines.
    """

    channel: str
    ts: str
    told: str
    lines_to: int = 0
    lines_at: int = 0

    def memory(self) -> dict[str, Any]:
        """What the next attempt is handed."""
        return asdict(self)


def remembered(memory: Mapping[str, Any]) -> Place | None:
    """The place that an earlier attempt kept."""
    if not memory.get("ts"):
        return None
    lines = (int(memory.get(name, 0)) for name in ("lines_to", "lines_at"))
    return Place(memory["channel"], memory["ts"], memory.get("told", ""), *lines)


def metadata(delivery: str, told: str) -> dict[str, Any]:
    """What a message carries to be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery": delivery, "told": told}}


class Lookup:
    """Searches one workspace with one client.

    Attributes:
        channel_ids: ids by (address of the API, name), kept for the life of the process; shared.
        notes: why something could not be searched. Being heard twice is better than not at all.
    """

    def __init__(self, client: Any, app_url: str, channel_ids: dict[tuple[str, str], str]) -> None:
        self._client = client
        self._app_url = app_url
        self.channel_ids = channel_ids
        self.notes: list[str] = []

    async def message(self, channel: str, delivery: str, since: int) -> Place | None:
        """The message of a delivery in a channel (a name or an id), not older than `since` (ms).

        Raises:
            SlackError: the search may work later; without it the message could be posted twice.
        """
        oldest = f"{max(0, since - _SKEW_MS) / 1000:.6f}"
        try:
            ident = await self._id(channel)
            where = {"channel": ident, "oldest": oldest}
            async for message, payload in self._ours(
                "conversations_history", delivery, where if ident else {}
            ):
                if message.get("thread_ts", message["ts"]) == message["ts"]:
                    return Place(ident, message["ts"], payload.get("told", ""))
        except SlackError as error:
            self._give_up(error)
        return None

    async def reply(self, place: Place, delivery: str, told: str) -> bool:
        """Whether the thread says `told` already. Raises as `message` does."""
        where = {"channel": place.channel, "ts": place.ts}
        try:
            async for _, payload in self._ours("conversations_replies", delivery, where):
                if payload.get("told") == told:
                    return True
        except SlackError as error:
            self._give_up(error)
        return False

    def remember(self, channel: str, ident: str) -> None:
        """Keep the id that an answer gave for a name."""
        self.channel_ids[self._app_url, channel] = ident

    async def _ours(
        self, method: str, delivery: str, where: Mapping[str, str]
    ) -> AsyncIterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        cursor: str | None = None
        for _ in range(_PAGES if where else 0):
            page = await call(
                self._client, method, include_all_metadata=True, limit=_PAGE, cursor=cursor, **where
            )
            for message in page.get("messages", []):
                carried = message.get("metadata") or {}
                payload = carried.get("event_payload") or {}
                if carried.get("event_type") == EVENT_TYPE and payload.get("delivery") == delivery:
                    yield message, payload
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    async def _id(self, channel: str) -> str:
        """The id of a channel, which the searching methods want; "" if it is not listed."""
        if CHANNEL_ID.fullmatch(channel):
            return channel
        if _MEMBER_ID.fullmatch(channel) and (self._app_url, channel) not in self.channel_ids:
            opened = await call(self._client, "conversations_open", users=channel)
            self.remember(channel, str((opened.get("channel") or {}).get("id") or ""))
        cursor: str | None = None
        for _ in range(0 if (self._app_url, channel) in self.channel_ids else _CHANNEL_PAGES):
            page = await call(
                self._client,
                "conversations_list",
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=_CHANNEL_PAGE,
                cursor=cursor,
            )
            found = [one["id"] for one in page.get("channels", []) if one.get("name") == channel.lstrip("#")]
            if found:
                self.remember(channel, found[0])
                break
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return self.channel_ids.get((self._app_url, channel), "")

    def _give_up(self, error: SlackError) -> None:
        if isinstance(error.outcome, Retry):
            raise error
        self.notes.append(
            "it may be there twice: an answer was lost, and the channel could not be searched for the message"
            f" ({error.code}; the bot needs the scopes in docs/slack.md, such as channels:history)"
        )
