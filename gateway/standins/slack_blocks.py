"""Which Slack messages Slack would refuse, and whom a message would ping.

It knows the limits and the escaping that Slack's documents state ("Block Kit reference", "Formatting text
for app surfaces"), for the block types an alert's message is made of. It does not draw anything.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BLOCKS: Final = 50
MAX_SECTION: Final = 3000
MAX_FIELDS: Final = 10
MAX_FIELD: Final = 2000
MAX_HEADER: Final = 150
MAX_CONTEXT: Final = 10
MAX_ACTIONS: Final = 25
MAX_BUTTON_TEXT: Final = 75
MAX_BUTTON_VALUE: Final = 2000
MAX_OPTIONS: Final = 5
MAX_OPTION: Final = 75  # of its text; its value may have twice that by now, and had not before
MAX_ID: Final = 255
MAX_URL: Final = 3000
MAX_TEXT: Final = 40_000
MAX_ATTACHMENTS: Final = 100
MAX_METADATA_BYTES: Final = 8_000  # the documents give no number; this one keeps a mistake visible

_PING: Final = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>|<!subteam\^(S\w+)[^>]*>|<@([UW]\w+)[^>]*>")
_BARE_PING: Final = re.compile(r"(?<![\w<!@])@(here|channel|everyone)\b")
# What may stand between < and >: links, mentions, special commands. Anything else was not escaped.
_ANGLE: Final = re.compile(r"<(?:(?:https?|mailto|tel):[^>]*|[@#][UWC]\w+(?:\|[^>]*)?|![a-z^][^>]*)>")


def message_error(message: dict[str, Any]) -> str:
    """Slack's error for `message` (arguments of `chat.postMessage`), "" if it would be taken."""
    blocks, attachments = message.get("blocks") or [], message.get("attachments") or []
    if not isinstance(blocks, list) or not isinstance(attachments, list):
        return "invalid_arguments"
    if not (message.get("text") or blocks or attachments):
        return "no_text"
    if len(str(message.get("text") or "")) > MAX_TEXT:
        return "msg_too_long"
    if len(attachments) > MAX_ATTACHMENTS:
        return "too_many_attachments"
    if block_errors(blocks):
        return "invalid_blocks"
    for attachment in attachments:
        if not isinstance(attachment, dict):
            return "invalid_attachments"
        if block_errors(attachment.get("blocks") or []):
            return "invalid_attachments"
    return _metadata_error(message.get("metadata"))


def _metadata_error(metadata: Any) -> str:
    if metadata is None:
        return ""
    if not isinstance(metadata, dict) or not metadata.get("event_type"):
        return "invalid_metadata_format"
    if not isinstance(metadata.get("event_payload"), dict):
        return "invalid_metadata_schema"
    too_large = len(json.dumps(metadata).encode()) > MAX_METADATA_BYTES
    return "metadata_too_large" if too_large else ""


def block_errors(blocks: Any) -> list[str]:
    """What is wrong with a list of blocks, one sentence each; empty if Slack would take it."""
    if not isinstance(blocks, list):
        return ["blocks must be a list"]
    errors = [f"at most {MAX_BLOCKS} blocks"] if len(blocks) > MAX_BLOCKS else []
    for at, block in enumerate(blocks):
        check = _CHECKS.get(str(block.get("type"))) if isinstance(block, dict) else None
        errors += [f"blocks[{at}]: {error}" for error in (check(block) if check else ["unsupported type"])]
    return errors


def _section(block: dict[str, Any]) -> list[str]:
    if not block.get("text") and not block.get("fields"):
        return ["a section needs text or fields"]
    errors = _text(block["text"], MAX_SECTION) if block.get("text") else []
    fields = block.get("fields", [])
    if len(fields) > MAX_FIELDS:
        errors.append(f"at most {MAX_FIELDS} fields")
    for field in fields:
        errors += _text(field, MAX_FIELD)
    return errors


def _header(block: dict[str, Any]) -> list[str]:
    return _text(block.get("text"), MAX_HEADER, only="plain_text")


def _context(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= MAX_CONTEXT:
        return [f"a context needs 1 to {MAX_CONTEXT} elements"]
    return [
        error
        for element in elements
        if element.get("type") != "image"
        for error in _text(element, MAX_SECTION)
    ]


def _actions(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= MAX_ACTIONS:
        return [f"actions need 1 to {MAX_ACTIONS} elements"]
    errors: list[str] = []
    for element in elements:
        check = _ELEMENTS.get(str(element.get("type")))
        errors += check(element) if check else [f"unsupported element {element.get('type')!r}"]
        errors += _confirm(element["confirm"]) if "confirm" in element else []
    named = [element.get("action_id", "") for element in elements]
    if len({name for name in named if name}) < len([name for name in named if name]):
        errors.append("an action_id stands twice in a block")
    if any(len(name) > MAX_ID for name in (*named, block.get("block_id", ""))):
        errors.append(f"an action_id or block_id has at most {MAX_ID} characters")
    return errors


def _button(button: dict[str, Any]) -> list[str]:
    errors = _text(button.get("text"), MAX_BUTTON_TEXT, only="plain_text")
    if button.get("style", "primary") not in ("primary", "danger"):
        errors.append("a button's style is primary or danger")
    if len(button.get("value", "")) > MAX_BUTTON_VALUE or len(button.get("url", "")) > MAX_URL:
        errors.append("a button's value or url is too long")
    return errors


def _overflow(menu: dict[str, Any]) -> list[str]:
    options = menu.get("options") or []
    if not 2 <= len(options) <= MAX_OPTIONS:
        return [f"an overflow menu needs 2 to {MAX_OPTIONS} options"]
    errors: list[str] = []
    for option in options:
        errors += _text(option.get("text"), MAX_OPTION, only="plain_text")
        if not 1 <= len(option.get("value", "")) <= MAX_OPTION:
            errors.append(f"an option's value has 1 to {MAX_OPTION} characters")
    return errors


def _confirm(dialog: dict[str, Any]) -> list[str]:
    return [
        error
        for part, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30))
        for error in _text(dialog.get(part), limit, only="" if part == "text" else "plain_text")
    ]


_ELEMENTS: Final = {"button": _button, "overflow": _overflow}


def _divider(_block: dict[str, Any]) -> list[str]:
    return []


_CHECKS: Final = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
}


def _text(text: Any, limit: int, only: str = "") -> list[str]:
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return ["a text object is missing"]
    if text.get("type") not in ((only,) if only else ("mrkdwn", "plain_text")):
        return [f"wrong text type {text.get('type')!r}"]
    if not 1 <= len(text["text"]) <= limit:
        return [f"a text has 1 to {limit} characters, not {len(text['text'])}"]
    return []


def unescaped(message: dict[str, Any]) -> list[str]:
    """Pieces of mrkdwn in which `<`, `>` or `&` were not escaped; Slack refuses none of them."""
    pieces = [text["text"] for text in _texts(message) if text.get("type") == "mrkdwn"]
    left = [(piece, _ANGLE.sub("", piece)) for piece in pieces]
    return [piece for piece, rest in left if re.search(r"[<>]|&(?!amp;|lt;|gt;)", rest)]


def pings(message: dict[str, Any]) -> list[str]:
    """Whom a new message pings: `here`, `channel`, user ids, user group ids; sorted, each once."""
    found: set[str] = set()
    for text in _texts(message):
        if text.get("type") != "mrkdwn":
            continue
        found |= {next(filter(None, match.groups())) for match in _PING.finditer(text["text"])}
        if not text.get("verbatim"):  # Slack looks for names itself unless it is told not to
            found |= {match.group(1) for match in _BARE_PING.finditer(text["text"])}
    return sorted(found)


def _texts(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every text object of a message; its `text` counts as mrkdwn, verbatim unless names are to be linked."""
    verbatim = not message.get("link_names") and message.get("parse", "none") == "none"
    yield {"type": "mrkdwn", "text": message.get("text") or "", "verbatim": verbatim}
    blocks = [*(message.get("blocks") or [])]
    for attachment in message.get("attachments") or []:
        blocks += attachment.get("blocks") or []
    for block in blocks:
        yield from (part for part in (block.get("text"), *block.get("fields", [])) if part)
        yield from (element for element in block.get("elements", []) if element.get("type") == "mrkdwn")
