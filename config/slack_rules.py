"""Rules about the section `slack` that one key alone cannot tell, of the document as written (`rules.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.written import Mistake, entries, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUE: Final = frozenset({"true", "yes", "on", "y", "t", "1"})


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """Socket Mode and its token come together; a member of Slack is one user."""
    yield from _members(data)
    app = mapping(data.get("slack"))
    wanted = str(app.get("socket_mode") or "").lower() in _TRUE
    token = next((key for key in ("app_token", "app_token_file") if app.get(key)), None)
    if wanted and token is None:
        expected = "an app-level token (xapp-...) with the scope connections:write"
        message = f"stands without app_token; expected {expected}"
        yield Mistake(("slack", "socket_mode"), message, key=True)
    if token and not wanted:
        message = (
            "opens no connection without socket_mode: true; expected both or neither (the token of the bot"
            " that posts is slack_app_token in global)"
        )
        yield Mistake(("slack", token), message, key=True)


def _members(data: dict[str, Any]) -> Iterator[Mistake]:
    seen: dict[str, Any] = {}
    for index, user in entries(data, "users"):
        ident = user.get("slack_id")
        if not isinstance(ident, str) or not ident:
            continue
        if ident in seen:
            message = (
                f"is the slack_id of {seen[ident]!r} already, who would seem to answer; expected one user for"
                " each member of Slack"
            )
            yield Mistake(("users", index, "slack_id"), message)
        seen.setdefault(ident, user.get("name"))
