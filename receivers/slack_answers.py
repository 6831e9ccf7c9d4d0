"""What Slack's errors mean: try again, close the channel for a while, or give up with advice.

A table, the few functions that look into it, and `call`, which makes every failure one of them. Sources: the
errors that Slack documents for `chat.postMessage`, `chat.update`, `conversations.*` and incoming webhooks,
and "Rate limits".
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from receivers.base import Refused, Retry
from receivers.retry_after import retry_after
from receivers.tls import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

_RATE_LIMITED_MS: Final = 30_000  # Slack always sends Retry-After; this is for a proxy that does not

LOST_ERRORS: Final = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
    }
)
"""The message that was to be edited or answered is gone, or is no longer ours to edit."""

LAYOUT_ERRORS: Final = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "msg_blocks_too_long",
        "msg_too_long",
        "too_many_attachments",
        "block_mismatch",
    }
)
"""Slack does not want it like this; as plain text it will."""

_RATE_LIMITED: Final = frozenset({"ratelimited", "rate_limited"})

# It may work later; true where the message may have been posted all the same.
_TRY_AGAIN: Final = {
    "internal_error": True,
    "fatal_error": True,
    "rollup_error": True,
    "service_unavailable": False,
    "request_timeout": False,
    "team_added_to_org": False,
    "org_login_required": False,
    "external_channel_migrating": False,
}

_APP_AGAIN: Final = "install the app again and put its bot token (xoxb-...) into `app_token`"
_HOOK_AGAIN: Final = "make a new incoming webhook in the app's settings and put its address into `api_url`"
_ADVICE: Final = {
    "channel_not_found": "no such channel, or a private one without the bot: check `channel`, then"
    " /invite @tocsin in it",
    "not_in_channel": "invite the bot to the channel: /invite @tocsin",
    "is_archived": "the channel is archived: name another one",
    "channel_is_archived": "the channel is archived: name another one",
    "invalid_auth": f"the token is not valid: {_APP_AGAIN}",
    "not_authed": f"no token was sent: {_APP_AGAIN}",
    "account_inactive": f"the app or its workspace was removed: {_APP_AGAIN}",
    "token_revoked": f"the token was revoked: {_APP_AGAIN}",
    "token_expired": f"the token has expired: {_APP_AGAIN}",
    "invalid_token": _HOOK_AGAIN,
    "no_service": f"the webhook was removed: {_HOOK_AGAIN}",
    "no_service_id": f"the webhook was removed: {_HOOK_AGAIN}",
    "no_team": f"the workspace is gone: {_HOOK_AGAIN}",
    "missing_scope": "the bot lacks a scope: grant it chat:write (and chat:write.customize for a username or"
    " an icon), then install the app again",
    "no_permission": "the bot may not post there: an administrator of the workspace has to allow it",
    "action_prohibited": "an administrator of the workspace does not allow it",
    "restricted_action": "an administrator of the workspace restricts who posts in this channel",
    "restricted_action_read_only_channel": "the channel is read-only: allow the bot to post in it",
    "ekm_access_denied": "the administrators of the workspace have suspended posting",
    "user_not_found": "no such user: check `channel`",
    "msg_too_long": "the text is too long even without its layout: shorten `fallback`",
    "no_text": "the message is empty: check `fallback`",
}


class SlackError(Exception):
    """A call that failed: Slack's `code` ("" if there was none), and what it means for the delivery."""

    def __init__(self, outcome: Retry | Refused, code: str = "") -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        self.code = code


async def call(client: Any, method: str, **arguments: Any) -> Mapping[str, Any]:
    """The answer of one method of slack_sdk's `AsyncWebClient`.

    Raises:
        SlackError: whatever Slack, the network or something in between did.
    """
    from slack_sdk.errors import SlackApiError  # noqa: PLC0415 - only where the configuration uses Slack

    try:
        answer = await getattr(client, method)(**arguments)
    except SlackApiError as error:
        response = error.response
        data = getattr(response, "data", None)
        code = data.get("error", "") if isinstance(data, dict) else ""
        status = getattr(response, "status_code", getattr(response, "status", 0))
        raise failure(str(code), int(status), response.headers) from None
    except AttributeError:  # the SDK takes the plain text of something in between for Slack's JSON
        raise failure("", 200, {}) from None
    except Exception as error:  # noqa: BLE001 - whatever a network can raise is told apart there
        raise network_failure(error) from None
    data = answer.data
    return data if isinstance(data, dict) else {}


def failure(code: str, status: int, headers: Mapping[str, str]) -> SlackError:
    """What an answer means. `code` is `error` of a Web API answer, or the body of a webhook's."""
    code = code if code and len(code) <= 60 and code.replace("_", "").isalnum() else ""
    said = code or f"HTTP {status}"
    wait = retry_after(headers)
    if status == 429 or code in _RATE_LIMITED:
        after = _RATE_LIMITED_MS if wait is None else wait
        return SlackError(Retry(f"rate limit ({said})", after=after, closes_target=True), code)
    if code in _TRY_AGAIN:
        return SlackError(Retry(f"Slack answers {said}", after=wait, unknown=_TRY_AGAIN[code]), code)
    if status >= 500 or status in (0, 408) or (status == 200 and not code):
        # 200 without Slack's JSON comes from something in between.
        return SlackError(Retry(f"Slack answers {said}", after=wait, unknown=True), code)
    advice = _ADVICE.get(code, "")
    return SlackError(Refused(f"Slack refuses it: {said}" + (f"; {advice}" if advice else "")), code)


def network_failure(error: Exception) -> SlackError:
    """What an exception means. Only over a connection that was never made nothing can have arrived."""
    name = explain(error) or type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError | ssl.SSLError):
        return SlackError(Retry(f"no connection to Slack ({name})"))
    if isinstance(error, TimeoutError):
        return SlackError(Retry("Slack did not answer in time", unknown=True))
    return SlackError(Retry(f"the connection to Slack broke ({name})", unknown=True))
