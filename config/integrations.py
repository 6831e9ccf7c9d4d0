"""The sections that say how one receiver tells: PagerDuty, Slack, email, webhook, and their connections.

Fields have Alertmanager's names. What is not given in a file is filled in from `global` by `compile.py`,
so a receiver finds everything here. An empty text means the receiver's default text.
"""

from typing import Literal

from pydantic import Field

from config.section import Section
from config.values import (
    AttemptLimit,
    Name,
    Secret,
    SecretFile,
    SecretUrl,
    SlackApiUrl,
    Smarthost,
    Url,
)

# --- how receivers connect -----------------------------------------------------------------------------


class TLSConfig(Section):
    """How a server is checked, and what we show it."""

    ca_file: SecretFile | None = None
    cert_file: SecretFile | None = None
    key_file: SecretFile | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: Literal["TLS10", "TLS11", "TLS12", "TLS13"] = "TLS12"


class BasicAuth(Section):
    """User and password in every request."""

    username: str = ""
    password: Secret | None = None
    password_file: SecretFile | None = None


class Authorization(Section):
    """A credential in every request's Authorization header."""

    type: str = "Bearer"
    credentials: Secret | None = None
    credentials_file: SecretFile | None = None


class HTTPConfig(Section):
    """How requests are made: credentials, proxy, TLS."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: Secret | None = None
    bearer_token_file: SecretFile | None = None
    proxy_url: SecretUrl | None = None
    tls_config: TLSConfig | None = None
    follow_redirects: bool = True


# --- integrations --------------------------------------------------------------------------------------


class PagerDutyLink(Section):
    """A link shown with a PagerDuty incident. Texts are templates."""

    href: str = ""
    text: str = ""


class PagerDutyImage(Section):
    """An image shown with a PagerDuty incident. Texts are templates."""

    src: str = ""
    alt: str = ""
    href: str = ""


class PagerDutyConfig(Section):
    """One PagerDuty service, told through Events API v2. An empty text means the default text."""

    send_resolved: bool = True
    routing_key: Secret | None = Field(None, description="Integration key of the PagerDuty service.")
    routing_key_file: SecretFile | None = None
    service_key: Secret | None = Field(None, description="The same as routing_key.")
    service_key_file: SecretFile | None = None
    url: Url = "https://events.pagerduty.com/v2/enqueue"
    client: str = ""
    client_url: str = ""
    description: str = ""
    severity: str = Field("", description="Template; empty: the severity, in one of PagerDuty's four words.")
    details: dict[str, str] = Field(default_factory=dict)
    images: tuple[PagerDutyImage, ...] = ()
    links: tuple[PagerDutyLink, ...] = ()
    source: str = ""
    class_: str = Field("", alias="class")
    component: str = ""
    group: str = ""
    http_config: HTTPConfig | None = None


class SlackField(Section):
    """A titled value in a Slack message."""

    title: str
    value: str
    short: bool | None = None


class SlackConfig(Section):
    """One Slack channel: with a bot token (edits its message in place) or an incoming webhook."""

    send_resolved: bool = False
    api_url: SecretUrl | None = Field(None, description="Address of an incoming webhook.")
    api_url_file: SecretFile | None = None
    app_token: Secret | None = Field(None, description="Bot token, xoxb-...: messages are edited in place.")
    app_token_file: SecretFile | None = None
    app_url: SlackApiUrl = "https://slack.com/api/"
    channel: str = Field("", description="Name with # or id; needed with a bot token.")
    username: str = ""
    icon_emoji: str = ""
    icon_url: str = ""
    title: str = ""
    title_link: str = ""
    text: str = ""
    color: str = ""
    fallback: str = ""
    fields: tuple[SlackField, ...] = ()
    mention: str = Field(
        "", description="Who is notified on purpose: @here, @channel, a user or user group id."
    )
    buttons: bool = Field(
        True,
        description="Buttons to answer below the message; only where `slack` says how presses come back.",
    )
    http_config: HTTPConfig | None = None

    @property
    def has_token(self) -> bool:
        """A bot's: what it posts can be edited."""
        return self.app_token is not None or self.app_token_file is not None


class EmailConfig(Section):
    """Mail to one or several addresses. What is not given here comes from `global.smtp_*`."""

    send_resolved: bool = False
    to: Name = Field(description="Addresses, separated by commas.")
    from_: str = Field("", alias="from")
    smarthost: Smarthost = Field("", description="HOST:PORT of the mail server.")
    hello: Name = "localhost"
    auth_username: str = ""
    auth_password: Secret | None = None
    auth_password_file: SecretFile | None = None
    auth_identity: str = ""
    require_tls: bool = True
    force_implicit_tls: bool | None = Field(None, description="TLS from the start; not given: on port 465.")
    tls_config: TLSConfig | None = None
    html: str = ""
    text: str = ""
    subject: str = ""
    headers: dict[str, str] = Field(default_factory=dict)


class WebhookConfig(Section):
    """A JSON body as Alertmanager posts it (version 4), to any address."""

    send_resolved: bool = True
    url: SecretUrl | None = None
    url_file: SecretFile | None = None
    secret: Secret | None = Field(None, description="Key of the HMAC signature header.")
    secret_file: SecretFile | None = None
    http_config: HTTPConfig | None = None
    max_alerts: int = Field(0, ge=0, description="Alerts in one body at most; 0: all.")
    timeout: AttemptLimit = Field(
        0, description="Time limit of one attempt, at most 30s; 0: that of all receivers."
    )


IntegrationConfig = PagerDutyConfig | SlackConfig | EmailConfig | WebhookConfig
