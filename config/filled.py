"""Ways of telling that stand for themselves: an integration with all that it takes from `global`.

Such an integration can be pinned: kept with a delivery in the store, so that the end goes where the beginning
went. Nothing is read from outside.

Rules: Alertmanager's `config/config.go` for what an integration takes from `global`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import SecretStr

from config.integrations import (
    Authorization,
    EmailConfig,
    HTTPConfig,
    IntegrationConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from config.section import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.schema import GlobalConfig, ReceiverConfig

Kind = Literal["pagerduty", "slack", "email", "webhook"]

KINDS: Final[Mapping[Kind, type[IntegrationConfig]]] = {
    "pagerduty": PagerDutyConfig,
    "slack": SlackConfig,
    "email": EmailConfig,
    "webhook": WebhookConfig,
}


@dataclass(frozen=True, slots=True)
class Integration:
    """One way in which a receiver, a team or a user is told.

    Attributes:
        receiver: its name, or who is told, in words: `team backend: slack`, `user dana: email`.
        index: counts within its kind, as in the file.
        config: has everything from `global` filled in and stands for itself: it can be pinned.
        instead_of: whom a policy named and could not reach, where this stands in for them; "" else.
        delay: milliseconds after the step at which a person's contact rules want this way, 0 at once.
        person: the user whom it tells, "" where it is no user's own.
    """

    receiver: str
    kind: Kind
    index: int
    config: IntegrationConfig
    instead_of: str = ""
    delay: int = 0
    person: str = ""


def integrations_of(receiver: ReceiverConfig, glob: GlobalConfig) -> Iterator[Integration]:
    """All of a receiver, in the order of the file within each kind."""
    for index, pagerduty in enumerate(receiver.pagerduty_configs):
        yield Integration(receiver.name, "pagerduty", index, filled_pagerduty(pagerduty, glob))
    for index, slack in enumerate(receiver.slack_configs):
        yield Integration(receiver.name, "slack", index, filled_slack(slack, glob))
    for index, email in enumerate(receiver.email_configs):
        yield Integration(receiver.name, "email", index, filled_email(email, glob))
    for index, webhook in enumerate(receiver.webhook_configs):
        yield Integration(receiver.name, "webhook", index, filled_webhook(webhook, glob))


def _connection(own: HTTPConfig | None, glob: GlobalConfig) -> HTTPConfig | None:
    """The connection settings that count; a bearer token in its old form becomes an authorization."""
    http = own or glob.http_config
    if http is None or (http.bearer_token is None and http.bearer_token_file is None):
        return http
    bearer = Authorization(credentials=http.bearer_token, credentials_file=http.bearer_token_file)
    return http.model_copy(update={"authorization": bearer, "bearer_token": None, "bearer_token_file": None})


def filled_pagerduty(own: PagerDutyConfig, glob: GlobalConfig) -> PagerDutyConfig:
    return own.model_copy(
        update={
            "routing_key": own.routing_key or own.service_key,
            "routing_key_file": own.routing_key_file or own.service_key_file,
            "service_key": None,
            "service_key_file": None,
            "url": own.url if "url" in own.model_fields_set else glob.pagerduty_url,
            "http_config": _connection(own.http_config, glob),
        }
    )


def filled_webhook(own: WebhookConfig, glob: GlobalConfig) -> WebhookConfig:
    return own.model_copy(update={"http_config": _connection(own.http_config, glob)})


def filled_slack(own: SlackConfig, glob: GlobalConfig) -> SlackConfig:
    filled: dict[str, Any] = {"http_config": _connection(own.http_config, glob)}
    if "app_url" not in own.model_fields_set:
        filled["app_url"] = glob.slack_app_url
    if not glob.slack_buttons:
        filled["buttons"] = False
    if not (own.api_url or own.api_url_file or own.app_token or own.app_token_file):
        filled |= {
            "app_token": glob.slack_app_token,
            "app_token_file": glob.slack_app_token_file,
            "api_url": glob.slack_api_url,
            "api_url_file": glob.slack_api_url_file,
        }
    return own.model_copy(update=filled)


_FROM_SMTP: Final = {
    "from_": "smtp_from",
    "smarthost": "smtp_smarthost",
    "hello": "smtp_hello",
    "auth_username": "smtp_auth_username",
    "auth_identity": "smtp_auth_identity",
    "require_tls": "smtp_require_tls",
    "force_implicit_tls": "smtp_force_implicit_tls",
    "tls_config": "smtp_tls_config",
}


def filled_email(own: EmailConfig, glob: GlobalConfig) -> EmailConfig:
    filled = {
        field: getattr(glob, name) for field, name in _FROM_SMTP.items() if field not in own.model_fields_set
    }
    if not (own.auth_password or own.auth_password_file):
        filled |= {
            "auth_password": glob.smtp_auth_password,
            "auth_password_file": glob.smtp_auth_password_file,
        }
    return own.model_copy(update=filled)


def pin(config: IntegrationConfig) -> dict[str, Any]:
    """The integration as JSON-able data, secrets revealed: an address kept with a delivery in the store."""
    data: dict[str, Any] = plain(config.model_dump(by_alias=True))
    return data


def unpin(kind: Kind, data: Mapping[str, Any]) -> IntegrationConfig:
    """The integration that was pinned, also by a version that knew other keys."""
    model = KINDS[kind]
    known = keys_of(model)
    return model.model_validate({key: value for key, value in data.items() if key in known})


def plain(value: Any) -> Any:
    """As JSON has it, secrets revealed."""
    match value:
        case dict():
            return {key: plain(part) for key, part in value.items()}
        case tuple() | list():
            return [plain(part) for part in value]
        case frozenset():
            return sorted(value)
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case _:
            return value
