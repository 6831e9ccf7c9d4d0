"""The sections of a configuration, in Alertmanager's words, each with its defaults.

A model says what one section may contain. What concerns several sections at once is in `rules.py`;
what a section inherits from `global` or from its parent route is filled in by `compile.py`. Keys that
Alertmanager knows and Tocsin does not do yet are in `unsupported.py`.

Rules: Alertmanager's `config/config.go` and its configuration page. Durations are milliseconds.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from config.auth import AuthConfig, Scope, TokenConfig
from config.heartbeats import BeatConfig, HeartbeatConfig
from config.integrations import (
    Authorization,
    BasicAuth,
    EmailConfig,
    HTTPConfig,
    IntegrationConfig,
    PagerDutyConfig,
    PagerDutyImage,
    PagerDutyLink,
    SlackConfig,
    SlackField,
    TLSConfig,
    WebhookConfig,
)
from config.intervals import TimeIntervalConfig
from config.pagerduty_app import PagerDutyAppConfig
from config.people import Severities, TeamConfig, TeamRuleConfig, WaysConfig
from config.policies import PolicyConfig
from config.schedules import ScheduleConfig
from config.secret import SecretError, reveal
from config.section import Section
from config.slack_app import SlackAppConfig
from config.users import UserConfig
from config.values import (
    BaseUrl,
    Duration,
    LabelName,
    Matchers,
    Name,
    PositiveDuration,
    Regex,
    Secret,
    SecretFile,
    SecretUrl,
    Size,
    SlackApiUrl,
    Smarthost,
    StoreUrl,
    Url,
    Utf8LabelName,
)

__all__ = [
    "AuthConfig",
    "Authorization",
    "BasicAuth",
    "BeatConfig",
    "Config",
    "DedupConfig",
    "EmailConfig",
    "GlobalConfig",
    "HTTPConfig",
    "HeartbeatConfig",
    "InhibitRuleConfig",
    "IntegrationConfig",
    "LimitsConfig",
    "PagerDutyAppConfig",
    "PagerDutyConfig",
    "PagerDutyImage",
    "PagerDutyLink",
    "PolicyConfig",
    "ReceiverConfig",
    "RedisConfig",
    "RouteConfig",
    "ScheduleConfig",
    "Scope",
    "SecretError",
    "SilencesConfig",
    "SlackAppConfig",
    "SlackConfig",
    "SlackField",
    "TLSConfig",
    "TeamConfig",
    "TeamRuleConfig",
    "TimeIntervalConfig",
    "TokenConfig",
    "UserConfig",
    "WaysConfig",
    "WebhookConfig",
    "json_schema",
    "reveal",
]


class ReceiverConfig(Section):
    """A name and everything that is told when alerts are routed to it. Nothing at all is legal."""

    name: Name
    pagerduty_configs: tuple[PagerDutyConfig, ...] = ()
    slack_configs: tuple[SlackConfig, ...] = ()
    email_configs: tuple[EmailConfig, ...] = ()
    webhook_configs: tuple[WebhookConfig, ...] = ()


# --- routing -------------------------------------------------------------------------------------------


def _or_none(value: object) -> object:
    """An empty name is none: the parent's counts, as in Alertmanager."""
    return None if value == "" else value


class RouteConfig(Section):
    """A node of the routing tree. What is not given here comes from the parent, as `compile.py` says."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}$")] | None = Field(
        None, description="Tocsin's own: identity of the route across changes of its matchers."
    )
    receiver: Annotated[Name | None, BeforeValidator(_or_none)] = None
    policy: Name | None = Field(None, description="Escalation policy that is followed instead of a receiver.")
    team: Name | None = Field(None, description="Whose alerts these are, where no label names a team.")
    matchers: tuple[Matchers, ...] = ()
    match: dict[LabelName, str] = Field(default_factory=dict, description="Old form of matchers with =.")
    match_re: dict[LabelName, Regex] = Field(
        default_factory=dict, description="Old form of matchers with =~."
    )
    continue_: bool = Field(False, alias="continue")
    group_by: tuple[Utf8LabelName, ...] | None = Field(
        None, description="Label names, or only '...' for all."
    )
    group_wait: Duration | None = None
    group_interval: PositiveDuration | None = None
    repeat_interval: PositiveDuration | None = None
    mute_time_intervals: tuple[Name, ...] = Field((), description="Intervals in which nobody is told.")
    active_time_intervals: tuple[Name, ...] = Field((), description="Outside of these, nobody is told.")
    labels: dict[LabelName, str] = Field(
        default_factory=dict, description="Shown with what is sent; children have them too."
    )
    routes: tuple["RouteConfig", ...] = ()


class InhibitRuleConfig(Section):
    """While an alert fires that meets the source matchers, those that meet the target's are not told."""

    name: str = ""
    source_matchers: tuple[Matchers, ...] = ()
    target_matchers: tuple[Matchers, ...] = ()
    equal: tuple[Utf8LabelName, ...] = Field((), description="Labels whose values must be the same in both.")
    source_match: dict[LabelName, str] = Field(default_factory=dict, description="Old form, with =.")
    source_match_re: dict[LabelName, Regex] = Field(default_factory=dict, description="Old form, with =~.")
    target_match: dict[LabelName, str] = Field(default_factory=dict, description="Old form, with =.")
    target_match_re: dict[LabelName, Regex] = Field(default_factory=dict, description="Old form, with =~.")


def _a_rule(value: object) -> object:
    """A rule of nothing at all is legal in Alertmanager, and inhibits nothing."""
    return {} if value is None else value


InhibitRule = Annotated[InhibitRuleConfig, BeforeValidator(_a_rule)]


class GlobalConfig(Section):
    """Defaults of all receivers."""

    resolve_timeout: PositiveDuration = Field(300_000, description="End of an alert whose sender names none.")
    http_config: HTTPConfig | None = None
    smtp_from: str = ""
    smtp_hello: Name = "localhost"
    smtp_smarthost: Smarthost = ""
    smtp_auth_username: str = ""
    smtp_auth_password: Secret | None = None
    smtp_auth_password_file: SecretFile | None = None
    smtp_auth_identity: str = ""
    smtp_require_tls: bool = True
    smtp_force_implicit_tls: bool | None = None
    smtp_tls_config: TLSConfig | None = None
    slack_api_url: SecretUrl | None = None
    slack_api_url_file: SecretFile | None = None
    slack_app_token: Secret | None = None
    slack_app_token_file: SecretFile | None = None
    slack_app_url: SlackApiUrl = "https://slack.com/api/"
    slack_buttons: bool = Field(
        True, description="Buttons to answer below messages, where `slack` says how presses come back."
    )
    pagerduty_url: Url = "https://events.pagerduty.com/v2/enqueue"


# --- Tocsin's own --------------------------------------------------------------------------------------


class RedisConfig(Section):
    """Where alerts, incidents and deliveries are kept."""

    url: StoreUrl = Field(None, description="redis://, rediss://, unix://, or embedded (the default).")
    shards: int = Field(1, ge=1, le=1_024)
    retention: PositiveDuration = Field(2_592_000_000, description="How long resolved incidents are kept.")


class DedupConfig(Section):
    """How long a copy of an alert may be late, and how long silence is no end."""

    reorder: Duration = Field(45_000, description="After an end: a firing with an old start is suspect.")
    confirm: PositiveDuration = Field(330_000, description="A suspect is believed after this time.")
    stale_after: PositiveDuration = Field(43_200_000, description="An alert without news is stale.")
    dismissed_for: PositiveDuration = Field(
        14_400_000, description="What was resolved by hand and still fires after this time opens again."
    )


class SilencesConfig(Section):
    """Silences, which people make while Tocsin runs."""

    retention: PositiveDuration = Field(432_000_000, description="How long ended ones can still be seen.")


class LimitsConfig(Section):
    """What is refused because it is too large."""

    body: Size = Field(
        32 * 2**20, ge=1_024, le=2**30, description="Bytes of one request after decompression."
    )


class Config(Section):
    """A whole configuration file: a superset of alertmanager.yml."""

    global_: GlobalConfig = Field(default_factory=GlobalConfig, alias="global")
    route: RouteConfig
    receivers: tuple[ReceiverConfig, ...] = ()
    inhibit_rules: tuple[InhibitRule, ...] = ()
    inhibit_grace: Duration = Field(
        2_000, description="How long an alert that a rule could inhibit waits for its source to arrive."
    )
    inhibit_release: Duration = Field(
        30_000, description="How long after its source has ended an alert must still fire to be told."
    )
    time_intervals: tuple[TimeIntervalConfig, ...] = ()
    mute_time_intervals: tuple[TimeIntervalConfig, ...] = Field((), description="Old name of time_intervals.")
    severities: Severities | None = Field(None, description="Worst first; not given: critical to info.")
    teams: tuple[TeamConfig, ...] = ()
    team_defaults: WaysConfig = Field(
        default_factory=WaysConfig, description="For what a team lacks, and for alerts without a team."
    )
    team_rules: tuple[TeamRuleConfig, ...] = Field((), description="Matchers -> team; the first counts.")
    users: tuple[UserConfig, ...] = ()
    schedules: tuple[ScheduleConfig, ...] = ()
    escalation_policies: tuple[PolicyConfig, ...] = ()
    heartbeats: tuple[HeartbeatConfig, ...] = Field((), description="Signs of life that are expected.")
    beats: tuple[BeatConfig, ...] = Field((), description="Signs of life that Tocsin gives itself.")
    templates: tuple[str, ...] = ()
    template_language: Literal["jinja", "go"] | None = Field(
        None, description="Only jinja is interpreted yet."
    )
    external_url: BaseUrl | None = Field(None, description="Every link in a message starts here.")
    redis: RedisConfig = Field(default_factory=RedisConfig)
    dedup: DedupConfig = Field(default_factory=DedupConfig)
    silences: SilencesConfig = Field(default_factory=SilencesConfig)
    slack: SlackAppConfig = Field(default_factory=SlackAppConfig)
    pagerduty: PagerDutyAppConfig = Field(default_factory=PagerDutyAppConfig)
    auth: AuthConfig = Field(default_factory=AuthConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a configuration file, for editors such as yaml-language-server.

    It allows what the loader allows: `${VAR}` wherever a value stands, and numbers where text is meant.
    """
    schema = Config.model_json_schema(by_alias=True)
    allowed: dict[str, Any] = _as_written(schema)
    return (
        {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        | allowed
        | {"title": "Tocsin configuration"}
    )


_VARIABLE = {"type": "string", "pattern": r"\$\{[A-Za-z_]"}


def _as_written(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_as_written(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: part if key in _DATA else _as_written(part) for key, part in schema.items()}
    if "properties" in schema:  # whose keys are a section's, not a schema's
        inner["properties"] = {key: _as_written(part) for key, part in schema["properties"].items()}
    if inner.get("type") == "string" and not inner.keys() & {"enum", "const", "pattern"}:
        return inner | {"type": ["string", "number", "boolean"]}
    if inner.get("type") in ("integer", "boolean") or inner.keys() & {"enum", "pattern"}:
        said = {key: inner.pop(key) for key in ("title", "description", "default") if key in inner}
        return said | {"anyOf": [inner, _VARIABLE]}
    return inner


_DATA = frozenset(
    {"properties", "default", "examples", "enum", "const", "required", "title", "description", "pattern"}
)
