"""Who pressed or typed in Slack: the user with that `slack_id`, or a member whom nobody knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from receivers.filters import truncated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import Config
    from config.users import UserConfig

_ID: Final = re.compile(r"[UW][A-Z0-9]{2,20}")
_MENTION: Final = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Slack.

    Attributes:
        slack_id: the member id, "" where Slack did not say.
        by: the name of the answers that they give: the user's, or words that say it is nobody known.
        user: who they are in the configuration, None for nobody.
    """

    slack_id: str
    by: str
    user: UserConfig | None = None


def person(config: Config, kind: str, payload: Mapping[str, Any]) -> Person:
    """Who is behind a press (`interactive`) or a command."""
    if kind == "interactive":
        said = payload.get("user")
        member = said if isinstance(said, dict) else {}
        given, name = member.get("id"), member.get("username") or member.get("name")
    else:
        given, name = payload.get("user_id"), payload.get("user_name")
    slack_id = given if isinstance(given, str) and _ID.fullmatch(given) else ""
    if slack_id and (user := known(config, slack_id)):
        return Person(slack_id, user.name, user)
    if isinstance(name, str) and name and slack_id:
        return Person(slack_id, f"Slack user {truncated(name, 40)} ({slack_id})")
    return Person(slack_id, f"Slack user {slack_id or 'unknown'}")


def known(config: Config, slack_id: str) -> UserConfig | None:
    """The user with this member id."""
    return next((user for user in config.users if user.slack_id == slack_id), None)


def named(config: Config, word: str) -> UserConfig | None:
    """Whom a word means: a mention, or a user's name, with or without @; capitals do not count."""
    if mention := _MENTION.fullmatch(word):
        return known(config, mention[1])
    name = word.removeprefix("@").lower()
    return next((user for user in config.users if user.name.lower() == name), None)
