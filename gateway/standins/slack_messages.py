"""The channels and messages that the Slack stand-in keeps, and how Slack lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class SlackChannel:
    """A conversation the workspace has; `member` says whether the bot is in it."""

    id: str
    name: str
    member: bool = True
    archived: bool = False


@dataclass(slots=True)
class SlackMessage:
    """A message as the channel shows it now.

    `edits` holds what it showed before, oldest first. `heard` says that it was new in the channel (a post, or
    a reply sent to the channel too); an edit is never heard. `pings` are whom its posting notified.
    """

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    thread_ts: str
    heard: bool
    pings: list[str]
    unescaped: list[str]
    author: str
    edits: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False

    def listed(self, *, with_metadata: bool) -> dict[str, Any]:
        """As `conversations.history` and `.replies` list it."""
        shown: dict[str, Any] = {"type": "message", "ts": self.ts, "text": self.text, "bot_id": "B0STANDIN"}
        shown |= {"blocks": self.blocks, "attachments": self.attachments}
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
        if with_metadata and self.metadata is not None:
            shown["metadata"] = self.metadata
        return shown


def page(found: list[SlackMessage], arguments: dict[str, Any]) -> dict[str, Any]:
    """One page of `found`, as `limit`, `cursor` and `include_all_metadata` ask for it."""
    start, limit = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
    with_metadata = str(arguments.get("include_all_metadata")).lower() in ("1", "true")
    more = start + limit < len(found)
    return {
        "messages": [message.listed(with_metadata=with_metadata) for message in found[start : start + limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }
