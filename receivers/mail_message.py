"""How an incident looks as a mail: subject, text and HTML parts, and the headers that thread it.

Builds an `email.message.EmailMessage` from a message; it sends nothing. A mail's `Message-ID` is made of
delivery, revision and ring, so a repeated attempt is the same mail to every mail program (RFC 5322, 3.6.4).
Nothing that comes from an alert can end a header: white space and control characters in it become spaces.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from receivers.filters import truncated
from receivers.render import Renderer, TemplateError, default_text
from receivers.sandbox import words
from receivers.wording import marked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.headerregistry import Address

    from config.schema import EmailConfig
    from receivers.base import Message

_SUBJECT: Final = 250
_HEADER: Final = 2_000
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}")
_OURS: Final = words(
    "auto-submitted bcc cc date from in-reply-to message-id mime-version references resent-bcc resent-cc"
    " resent-to return-path sender to"
)


def needs_utf8(everybody: Sequence[Address]) -> bool:
    """Whether a mailbox among them can only be named with SMTPUTF8 (RFC 6531)."""
    return not all(one.username.isascii() for one in everybody)


def message_id(message: Message, domain: str) -> str:
    """`<...@domain>`, the same for the same delivery, revision and ring."""
    delivery = blake2b(message.delivery.encode(), digest_size=8).hexdigest()
    return f"<tocsin.{delivery}.{message.revision}.{message.ring}@{domain}>"


def compose(
    config: EmailConfig,
    message: Message,
    renderer: Renderer,
    sender: Address,
    *,
    to: Sequence[Address],
    first: str,
) -> tuple[bytes, str]:
    """The mail as it goes over the wire, and a note about what failed in making it ("" if nothing did).

    `first` is the `Message-ID` of the incident's first mail, "" if this is it.
    """
    notes: list[str] = []

    def rendered(template: str, default: str, *, html: bool = False) -> str:
        text, note = renderer.render_or(template, default_text(default), message, html=html)
        notes.append(note)
        return text

    mail = EmailMessage(policy=SMTP.clone(utf8=needs_utf8([sender, *to])))
    mail["From"] = sender
    mail["To"] = tuple(to)
    title, _, words = message.notice.partition("\n")
    subject = title or marked(message, rendered(config.subject, "mail.subject"))
    mail["Subject"] = truncated(_clean(subject), _SUBJECT)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.now / 1000, UTC))
    mail["Message-ID"] = own = message_id(message, sender.domain)
    if first and first != own:
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.notice:
        mail["X-Tocsin-Status"] = "notice"
        mail.set_content(_clean(words) + "\n")
        return mail.as_bytes(), ""
    if not message.test:
        mail["X-Tocsin-Incident"] = str(message.incident)
    mail["X-Tocsin-Status"] = "test" if message.test else message.status
    for name, template in config.headers.items():
        notes.append(_set(mail, name, template, message, renderer))
    mail.set_content(_clean(rendered(config.text, "mail.txt")) + "\n")
    mail.add_alternative(_clean(rendered(config.html, "mail.html", html=True)) + "\n", subtype="html")
    return mail.as_bytes(), "; ".join(dict.fromkeys(filter(None, notes)))


def _set(mail: EmailMessage, name: str, template: str, message: Message, renderer: Renderer) -> str:
    """Set one header of the configuration. Returns a note if it was left out."""
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS or name.lower().startswith("content-"):
        return f"the header {name!r} was left out: it is not one that a configuration can set"
    try:
        value = truncated(_clean(renderer.render(template, message)), _HEADER)
        del mail[name]
        mail[name] = value
    except (TemplateError, ValueError) as error:
        return f"the header {name} was left out: {error}"
    return ""


def _clean(text: str) -> str:
    """Text that can be encoded: lone surrogates become question marks."""
    return text.encode(errors="replace").decode()
