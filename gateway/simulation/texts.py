"""Messages as their services show them, in plain text: made by the receivers' own functions, sent nowhere."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from typing import TYPE_CHECKING, Any, Final

from config.integrations import EmailConfig, PagerDutyConfig, SlackConfig, WebhookConfig
from receivers.render import Renderer

if TYPE_CHECKING:
    from config.integrations import IntegrationConfig
    from receivers.base import Message

NOBODY: Final = "tocsin@localhost"


class Texts:
    """Renders messages; one for a simulation."""

    def __init__(self) -> None:
        self._renderer = Renderer()

    def of(self, config: IntegrationConfig, message: Message) -> str:
        """What whoever is told reads."""
        match config:
            case PagerDutyConfig():
                return self._event(config, message)
            case SlackConfig():
                return self._post(config, message)
            case EmailConfig():
                return self._mail(config, message)
            case WebhookConfig():
                from receivers.webhook_body import body_of_shown  # noqa: PLC0415 - where there are webhooks

                return body_of_shown(message, config.max_alerts).decode()

    def _event(self, config: PagerDutyConfig, message: Message) -> str:
        from receivers.pagerduty_event import build_event  # noqa: PLC0415 - where there is PagerDuty

        event, _ = build_event(config, message, self._renderer)
        payload: dict[str, Any] = event.get("payload", {})
        return str(payload.get("summary", event["event_action"]))

    def _post(self, config: SlackConfig, message: Message) -> str:
        from receivers.slack_message import whole_message  # noqa: PLC0415 - where there is Slack

        look = whole_message(config, message, self._renderer, new=True).arguments()
        return slack_text(look)

    def _mail(self, config: EmailConfig, message: Message) -> str:
        from receivers.mail_message import addresses, compose  # noqa: PLC0415 - where there is mail

        sender = addresses(config.from_ or NOBODY, "from")[0]
        to = addresses(config.to or NOBODY, "to")
        mail, _ = compose(config, message, self._renderer, sender, to=to, first="")
        return mail_text(mail)


def mail_text(mail: bytes) -> str:
    """A mail's subject, an empty line, and its text."""
    parsed = message_from_bytes(mail, policy=SMTP)
    part = parsed.get_body(("plain", "html"))
    body = part.get_content() if part else ""
    return f"{parsed['Subject']}\n\n{body.strip()}".replace("\r\n", "\n")


def slack_text(arguments: dict[str, Any]) -> str:
    """What a post says: the text that a phone shows, then its sections."""
    lines = [str(arguments.get("text", ""))]
    blocks = list(arguments.get("blocks") or [])
    for attachment in arguments.get("attachments") or []:
        blocks += attachment.get("blocks") or []
    for block in blocks:
        parts = [block.get("text"), *(block.get("fields") or []), *(block.get("elements") or [])]
        lines += [str(part["text"]) for part in parts if isinstance(part, dict) and _said(part)]
    return "\n".join(line for line in lines if line)


def _said(part: dict[str, Any]) -> bool:
    return isinstance(part.get("text"), str)
