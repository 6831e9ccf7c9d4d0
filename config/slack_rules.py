"""Rules about the section `slack` that one key alone cannot tell, of the document as written (`rules.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.written import Mistake, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUE: Final = frozenset({"true", "yes", "on", "y", "t", "1"})


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """Socket Mode and its token come together."""
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
