"""The webhook of an Alertmanager in front that leads to Tocsin: what it leaves out or cannot deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.front import GOOD, finding_in, in_front, webhooks_of, written
from config.values import parse_duration, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.alertmanager import Front
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path


MIN_TIMEOUT: Final = 5_000  # milliseconds that Tocsin may need where its store is slow

_FALSE: Final = frozenset({"false", "no", "off", "n", "f", "0"})
_LOGINS: Final = (
    "basic_auth",
    "authorization",
    "bearer_token",
    "bearer_token_file",
    "oauth2",
    "http_headers",
)

ENDS: Final = Code(
    "TOC708",
    "front-send-resolved",
    "error",
    "A webhook that keeps the ends of alerts from Tocsin",
    found="`send_resolved: false` on the webhook that leads to Tocsin.",
    bad="Tocsin never learns that an alert has ended: incidents stay open, and go on escalating.",
    example=Example(alertmanager=in_front(webhook="        send_resolved: false\n")),
    instead=Example(alertmanager=in_front(webhook="        send_resolved: true\n")),
)
CUTS: Final = Code(
    "TOC709",
    "front-max-alerts",
    "error",
    "A webhook that leaves alerts out",
    found="`max_alerts` above 0 on the webhook that leads to Tocsin.",
    bad="Of a larger group always the same alerts are left out, also their ends, and Tocsin never hears of "
    "them. It takes groups of tens of thousands.",
    example=Example(alertmanager=in_front(webhook="        max_alerts: 100\n")),
    instead=Example(alertmanager=in_front(webhook="        max_alerts: 0\n")),
)
PAYLOAD: Final = Code(
    "TOC710",
    "front-payload",
    "error",
    "A webhook whose body Tocsin cannot read",
    found="`payload` on the webhook that leads to Tocsin.",
    bad="It replaces Alertmanager's own body. Tocsin refuses what it does not know, for good.",
    example=Example(alertmanager=in_front(webhook="        payload: {text: '{{ .Status }}'}\n")),
    instead=GOOD,
)
TIMEOUT: Final = Code(
    "TOC711",
    "front-timeout",
    "warning",
    "A webhook that waits too short for Tocsin's answer",
    found="`timeout` above 0s and below 5s on the webhook that leads to Tocsin.",
    bad="Tocsin answers when the alerts are safe, which takes milliseconds, but longer on a busy disk or "
    "with a group of ten thousand. What was broken off is sent again: more load when there is most.",
    example=Example(alertmanager=in_front(webhook="        timeout: 500ms\n")),
    instead=Example(alertmanager=in_front(webhook="        timeout: 10s\n")),
)
NO_LOGIN: Final = Code(
    "TOC712",
    "front-without-credentials",
    "error",
    "A webhook without credentials where Tocsin asks for them",
    found="`auth.tokens` in tocsin.yaml, and a webhook that leads to Tocsin without a login: neither in its "
    "`http_config` or `url`, nor in the `http_config` of `global`.",
    bad="Tocsin answers 401, and Alertmanager does not try again: the alerts are lost.",
    example=Example(
        "auth: {tokens: [{name: alertmanager, token: secret-of-alertmanager, scopes: [ingest]}]}\n",
        alertmanager=in_front(),
    ),
    instead=Example(
        "auth: {tokens: [{name: alertmanager, token: secret-of-alertmanager, scopes: [ingest]}]}\n",
        alertmanager=in_front(
            webhook="        http_config: {authorization: {credentials_file: /etc/alertmanager/tocsin}}\n"
        ),
    ),
)


def _ends(subject: Subject) -> Iterator[Finding]:
    for front, path, value in _keys(subject, "send_resolved"):
        if str(value).lower() in _FALSE:
            reason = "Tocsin never hears that an alert has ended, and goes on escalating"
            yield finding_in(front, ENDS, path, reason, "Set send_resolved: true.")


def _cuts(subject: Subject) -> Iterator[Finding]:
    for front, path, value in _keys(subject, "max_alerts"):
        if str(value).strip() not in ("", "0"):
            reason = f"of a group of more than {value} alerts the rest never reaches Tocsin"
            yield finding_in(
                front,
                CUTS,
                path,
                reason,
                "Set max_alerts: 0, or leave it out.",
            )


def _payload(subject: Subject) -> Iterator[Finding]:
    for front, path, value in _keys(subject, "payload"):
        if value:
            reason = "this replaces the body that Tocsin understands"
            yield finding_in(front, PAYLOAD, path, reason, "Leave payload out.")


def _timeout(subject: Subject) -> Iterator[Finding]:
    for front, path, value in _keys(subject, "timeout"):
        try:
            limit = parse_duration(value)
        except ValueError:
            continue  # such as 1.5s, which Go takes here
        if 0 < limit < MIN_TIMEOUT:
            reason = f"after {show_duration(limit)} Alertmanager breaks off what Tocsin may still be storing"
            yield finding_in(
                front,
                TIMEOUT,
                path,
                reason,
                "Leave timeout out, or give it 10s.",
            )


def _no_login(subject: Subject) -> Iterator[Finding]:
    front = subject.front
    if front is None or not subject.config.auth.tokens:
        return
    shared = written(front, ("global", "http_config"))
    for webhook in webhooks_of(subject):
        own = webhook.keys.get("http_config") or shared
        in_url = "@" in str(webhook.keys.get("url") or "@")  # what a file holds, nobody knows
        if not in_url and not (isinstance(own, dict) and any(own.get(key) for key in _LOGINS)):
            reason = "this webhook brings no credentials, and Tocsin has auth.tokens: it will answer 401"
            advice = "Add http_config: {authorization: {credentials_file: ...}} with a token of scope ingest."
            yield finding_in(front, NO_LOGIN, (*webhook.path, "url"), reason, advice)


def _keys(subject: Subject, key: str) -> Iterator[tuple[Front, Path, Any]]:
    """The webhooks that lead to Tocsin and have a key: its place and its value."""
    for webhook in webhooks_of(subject):
        if subject.front and webhook.keys.get(key) is not None:
            yield subject.front, (*webhook.path, key), webhook.keys[key]


CHECKS: Final = (
    Check(ENDS, _ends),
    Check(CUTS, _cuts),
    Check(PAYLOAD, _payload),
    Check(TIMEOUT, _timeout),
    Check(NO_LOGIN, _no_login),
)
