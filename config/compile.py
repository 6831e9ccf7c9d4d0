"""A valid configuration -> the plan that the service works on.

Here inheritance happens: timers and labels from parent routes, connections and senders from `global`.
Nothing is checked (see `schema.py`, `rules.py`) and nothing is read from outside.

Rules: Alertmanager's `dispatch/route.go` for what a route inherits, its default timers and its key;
`config/config.go` for what an integration takes from `global`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import SecretStr

from config.schema import (
    Authorization,
    Config,
    EmailConfig,
    GlobalConfig,
    HTTPConfig,
    IntegrationConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from config.section import keys_of
from routing.matchers import Matcher, in_order, parse_matchers, show
from routing.tree import Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.schema import ReceiverConfig, RouteConfig

Kind = Literal["pagerduty", "slack", "email", "webhook"]

KINDS: Final[Mapping[Kind, type[IntegrationConfig]]] = {
    "pagerduty": PagerDutyConfig,
    "slack": SlackConfig,
    "email": EmailConfig,
    "webhook": WebhookConfig,
}

DEFAULT_GROUP_WAIT: Final = 30_000
DEFAULT_GROUP_INTERVAL: Final = 300_000
DEFAULT_REPEAT_INTERVAL: Final = 14_400_000


@dataclass(frozen=True, slots=True)
class Integration:
    """One way in which a receiver tells. `index` counts within its kind, as in the file.

    `config` has everything from `global` filled in and stands for itself: it can be pinned.
    """

    receiver: str
    kind: Kind
    index: int
    config: IntegrationConfig


@dataclass(frozen=True, slots=True)
class Plan:
    """What routing and sending need. `digest` differs when anything in the configuration does."""

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    config: Config
    digest: str


def compile_plan(config: Config) -> Plan:
    """The plan of a configuration that `load` returned."""
    root = Route(
        key="",
        receiver="",
        group_by=frozenset(),
        group_wait=DEFAULT_GROUP_WAIT,
        group_interval=DEFAULT_GROUP_INTERVAL,
        repeat_interval=DEFAULT_REPEAT_INTERVAL,
    )
    text = json.dumps(_plain(config.model_dump(by_alias=True)), sort_keys=True)
    return Plan(
        root=_route(config.route, root, "{}"),
        receivers={receiver.name: tuple(_integrations(receiver, config)) for receiver in config.receivers},
        config=config,
        digest=sha256(text.encode()).hexdigest(),
    )


def pin(config: IntegrationConfig) -> dict[str, Any]:
    """The integration as JSON-able data, secrets revealed: an address kept with a delivery in the store."""
    plain: dict[str, Any] = _plain(config.model_dump(by_alias=True))
    return plain


def unpin(kind: Kind, data: Mapping[str, Any]) -> IntegrationConfig:
    """The integration that was pinned, also by a version that knew other keys."""
    model = KINDS[kind]
    known = keys_of(model)
    return model.model_validate({key: value for key, value in data.items() if key in known})


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case tuple() | list():
            return [_plain(part) for part in value]
        case frozenset():
            return sorted(value)
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case _:
            return value


# --- routes --------------------------------------------------------------------------------------------


def _route(section: RouteConfig, parent: Route, path: str) -> Route:
    """`path` is Alertmanager's key of the route, whatever its name; it goes on into the children's."""
    inherited = Route(
        key=section.name or path,
        receiver=section.receiver or parent.receiver,
        group_by=parent.group_by if section.group_by is None else _group_by(section.group_by),
        group_wait=parent.group_wait if section.group_wait is None else section.group_wait,
        group_interval=section.group_interval or parent.group_interval,
        repeat_interval=section.repeat_interval or parent.repeat_interval,
        matchers=_matchers(section),
        continue_=section.continue_,
    )
    seen: dict[str, int] = {}
    children: list[Route] = []
    for child in section.routes:
        below = f"{path}/{show(_matchers(child))}"
        seen[below] = seen.get(below, 0) + 1
        number = f"#{seen[below]}" if seen[below] > 1 else ""
        children.append(_route(child, inherited, below + number))
    return replace(inherited, children=tuple(children))


def _group_by(names: tuple[str, ...]) -> frozenset[str] | None:
    return None if "..." in names else frozenset(names)


def _matchers(section: RouteConfig) -> tuple[Matcher, ...]:
    """All three forms together; a `match_re` is shown anchored, as Alertmanager shows it."""
    equal = (Matcher(name, "=", value) for name, value in section.match.items())
    regex = (Matcher(name, "=~", f"^(?:{value})$") for name, value in section.match_re.items())
    written = (matcher for text in section.matchers for matcher in parse_matchers(text))
    return in_order((*equal, *regex, *written))


# --- integrations --------------------------------------------------------------------------------------


def _integrations(receiver: ReceiverConfig, config: Config) -> Iterator[Integration]:
    glob = config.global_
    for index, pagerduty in enumerate(receiver.pagerduty_configs):
        yield Integration(receiver.name, "pagerduty", index, _pagerduty(pagerduty, glob))
    for index, slack in enumerate(receiver.slack_configs):
        yield Integration(receiver.name, "slack", index, _slack(slack, glob))
    for index, email in enumerate(receiver.email_configs):
        yield Integration(receiver.name, "email", index, _email(email, glob))
    for index, webhook in enumerate(receiver.webhook_configs):
        connection = _connection(webhook.http_config, glob)
        yield Integration(
            receiver.name, "webhook", index, webhook.model_copy(update={"http_config": connection})
        )


def _connection(own: HTTPConfig | None, glob: GlobalConfig) -> HTTPConfig | None:
    """The connection settings that count; a bearer token in its old form becomes an authorization."""
    http = own or glob.http_config
    if http is None or (http.bearer_token is None and http.bearer_token_file is None):
        return http
    bearer = Authorization(credentials=http.bearer_token, credentials_file=http.bearer_token_file)
    return http.model_copy(update={"authorization": bearer, "bearer_token": None, "bearer_token_file": None})


def _pagerduty(own: PagerDutyConfig, glob: GlobalConfig) -> PagerDutyConfig:
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


def _slack(own: SlackConfig, glob: GlobalConfig) -> SlackConfig:
    filled: dict[str, Any] = {"http_config": _connection(own.http_config, glob)}
    if "app_url" not in own.model_fields_set:
        filled["app_url"] = glob.slack_app_url
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


def _email(own: EmailConfig, glob: GlobalConfig) -> EmailConfig:
    filled = {
        field: getattr(glob, name) for field, name in _FROM_SMTP.items() if field not in own.model_fields_set
    }
    if not (own.auth_password or own.auth_password_file):
        filled |= {
            "auth_password": glob.smtp_auth_password,
            "auth_password_file": glob.smtp_auth_password_file,
        }
    return own.model_copy(update=filled)
