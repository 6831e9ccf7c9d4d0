"""What one key alone cannot tell: rules about several keys or sections at once.

They look at the document as written, whatever else is wrong with it, so that all problems of a file are
told together; a part of the wrong shape is passed over, because the schema says so already. Severities,
teams and users are in `people_rules.py`, policies in `policy_rules.py`, schedules in `schedule_rules.py`.

Rules: the load-time errors of Alertmanager's `config/config.go`, and our own for tokens and templates.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config import heartbeat_rules, people_rules, policy_rules, schedule_rules, slack_rules
from config.templates import TEMPLATED, broken
from config.written import Mistake, at_most_one, children, entries, mapping, names, texts, unique, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.problems import Path

ALERTMANAGER_FILES: Final = frozenset({"alertmanager.yml", "alertmanager.yaml"})

_FREE: Final = frozenset(  # whose keys are the user's own
    {"match", "match_re", "source_match", "source_match_re", "target_match", "target_match_re"}
    | {"details", "headers", "labels", "aliases"}
)
_SLACK: Final = ("api_url", "api_url_file", "app_token", "app_token_file")
_PAGERDUTY: Final = ("routing_key", "routing_key_file", "service_key", "service_key_file")
_LOGINS: Final = ("basic_auth", "authorization", "bearer_token", "bearer_token_file")
_TOKENS: Final = ("token", "hash", "token_file")
_GO: Final = re.compile(r"\{\{-?\s*(?:[.$]|(?:template|define|block|with|if|else|end|range)\b(?!\())")


def mistakes(data: Any, file: str) -> Iterator[Mistake]:
    """All that is wrong with a document between its keys. `file` decides the default template language."""
    if not isinstance(data, dict):
        return
    yield from _receivers(data)
    yield from _routes(data)
    yield from _intervals(data)
    yield from people_rules.mistakes(data)
    yield from slack_rules.mistakes(data)
    yield from policy_rules.mistakes(data)
    yield from schedule_rules.mistakes(data)
    yield from heartbeat_rules.mistakes(data)
    yield from _global(data)
    yield from _auth(data)
    yield from _templates(data, file)
    yield from _files_beside_values((), data)


# --- receivers -----------------------------------------------------------------------------------------


def _receivers(data: dict[str, Any]) -> Iterator[Mistake]:
    if "receivers" in data and data["receivers"] in (None, []):
        yield Mistake(
            ("receivers",), "is empty; expected at least one receiver, such as - name: nobody", key=True
        )
    glob = mapping(data.get("global"))
    yield from unique(data, "receiver", "receivers")
    for index, receiver in entries(data, "receivers"):
        path: Path = ("receivers", index)
        for at, pagerduty in entries(receiver, "pagerduty_configs"):
            yield from _pagerduty((*path, "pagerduty_configs", at), pagerduty)
        for at, slack in entries(receiver, "slack_configs"):
            yield from _slack((*path, "slack_configs", at), slack, glob)
        for at, email in entries(receiver, "email_configs"):
            yield from _email((*path, "email_configs", at), email, glob)
        for at, webhook in entries(receiver, "webhook_configs"):
            if not (webhook.get("url") or webhook.get("url_file")):
                yield Mistake((*path, "webhook_configs", at), "no address; expected url or url_file")
        for kind in ("pagerduty_configs", "slack_configs", "webhook_configs"):
            for at, integration in entries(receiver, kind):
                yield from _http((*path, kind, at, "http_config"), integration.get("http_config"))


def _pagerduty(path: Path, data: dict[str, Any]) -> Iterator[Mistake]:
    yield from at_most_one(path, data, _PAGERDUTY)
    if not any(data.get(key) for key in _PAGERDUTY):
        yield Mistake(path, "no key of a PagerDuty service; expected routing_key or routing_key_file")


def _slack(path: Path, data: dict[str, Any], glob: dict[str, Any]) -> Iterator[Mistake]:
    yield from at_most_one(path, data, _SLACK)
    own = [key for key in _SLACK if data.get(key)]
    given = own or [key for key in _SLACK if glob.get(f"slack_{key}")]
    if not given:
        expected = (
            "app_token (a bot token) or api_url (an incoming webhook) here, or slack_app_token in global"
        )
        yield Mistake(path, f"no way to reach Slack; expected {expected}")
    elif given[0].startswith("app_token") and not data.get("channel"):
        yield Mistake(path, 'no channel; expected one with a bot token, such as channel: "#alerts"')


def _email(path: Path, data: dict[str, Any], glob: dict[str, Any]) -> Iterator[Mistake]:
    if not (data.get("smarthost") or glob.get("smtp_smarthost")):
        yield Mistake(path, "no mail server; expected smarthost, HOST:PORT, here or smtp_smarthost in global")
    if not (data.get("from") or glob.get("smtp_from")):
        yield Mistake(path, "no sender; expected from here or smtp_from in global")
    seen: dict[str, str] = {}
    for name in mapping(data.get("headers")):
        if name.lower() in seen:
            message = f"the header {name!r} is the same as {seen[name.lower()]!r}; expected it once"
            yield Mistake((*path, "headers", name), message, key=True)
        seen[name.lower()] = name
    yield from _tls((*path, "tls_config"), data.get("tls_config"))


def _global(data: dict[str, Any]) -> Iterator[Mistake]:
    glob = mapping(data.get("global"))
    yield from at_most_one(("global",), glob, [f"slack_{key}" for key in _SLACK])
    yield from _http(("global", "http_config"), glob.get("http_config"))
    yield from _tls(("global", "smtp_tls_config"), glob.get("smtp_tls_config"))


def _http(path: Path, value: Any) -> Iterator[Mistake]:
    yield from at_most_one(path, mapping(value), _LOGINS)
    yield from _tls((*path, "tls_config"), mapping(value).get("tls_config"))


def _tls(path: Path, value: Any) -> Iterator[Mistake]:
    data = mapping(value)
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if data.get(one) and not data.get(other):
            yield Mistake((*path, one), f"stands without {other}; expected both or neither", key=True)


def _files_beside_values(path: Path, value: Any) -> Iterator[Mistake]:
    """`x` and `x_file` give the same secret in two ways."""
    if isinstance(value, dict):
        for key in value:
            if f"{key}_file" in value and (not path or path[-1] not in _FREE):
                yield from at_most_one(path, value, (key, f"{key}_file"))
    for key, child in children(value):
        yield from _files_beside_values((*path, key), child)


# --- routes --------------------------------------------------------------------------------------------


class _Known(NamedTuple):
    """What routes can name; None: nothing is known of it, and something is said there already."""

    receivers: frozenset[str] | None
    intervals: frozenset[str]
    policies: frozenset[str]
    teams: frozenset[str]


def _routes(data: dict[str, Any]) -> Iterator[Mistake]:
    root = data.get("route")
    if not isinstance(root, dict):
        return
    yield from _root(root)
    known = _Known(
        receivers=None if _said_already(data) else names(data, "receivers"),
        intervals=names(data, "time_intervals", "mute_time_intervals"),
        policies=names(data, "escalation_policies"),
        teams=names(data, "teams"),
    )
    seen: set[str] = set()
    for path, route in _walk(("route",), root):
        name = route.get("name")
        if isinstance(name, str) and name in seen:
            yield Mistake((*path, "name"), f"the route {name!r} stands here twice; expected unique names")
        seen.add(name if isinstance(name, str) else "")
        yield from _told(path, route, known)
        yield from _grouped(path, route)


def _said_already(data: dict[str, Any]) -> bool:
    """Whether what is wrong is the list of receivers, so that no name can be in it."""
    receivers = data.get("receivers", [None])
    return not (isinstance(receivers, list) and receivers)


def _root(root: dict[str, Any]) -> Iterator[Mistake]:
    if root.get("policy"):
        message = (
            "the root route takes no policy: its receiver is told what no other route takes, and where a"
            " policy reaches nobody; expected a receiver here, and the policy in a route below"
        )
        yield Mistake(("route", "policy"), message, key=True)
    elif not root.get("receiver"):
        expected = "the name of the receiver that takes what no other route does"
        yield Mistake(("route",), f"the root route has no receiver; expected {expected}", key=True)
    for key in ("matchers", "match", "match_re"):
        if root.get(key):
            message = "the root route takes every alert; expected matchers in the routes below it only"
            yield Mistake(("route", key), message, key=True)
    for key in ("mute_time_intervals", "active_time_intervals"):
        if root.get(key):
            message = "the root route is never quiet; expected intervals in the routes below it only"
            yield Mistake(("route", key), message, key=True)
    if str(root.get("continue") or "").lower() in ("true", "yes", "on", "y", "t", "1"):
        message = "the root route has no next one to continue with; expected no continue here"
        yield Mistake(("route", "continue"), message, key=True)


def _walk(path: Path, route: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    yield path, route
    for index, child in entries(route, "routes"):
        yield from _walk((*path, "routes", index), child)


def _told(path: Path, route: dict[str, Any], known: _Known) -> Iterator[Mistake]:
    """Whom a route tells, and when."""
    if len(path) > 1:  # of the root's policy is said more
        yield from at_most_one(path, route, ("receiver", "policy"))
    if known.receivers is not None:
        where = "receivers"
        yield from unknown((*path, "receiver"), route.get("receiver"), "receiver", known.receivers, where)
    where = "escalation_policies"
    yield from unknown((*path, "policy"), route.get("policy"), "policy", known.policies, where)
    yield from unknown((*path, "team"), route.get("team"), "team", known.teams, "teams")
    for key in ("mute_time_intervals", "active_time_intervals"):
        for at, name in enumerate(texts(route, key)):
            yield from unknown((*path, key, at), name, "interval", known.intervals, "time_intervals")
    for name, value in mapping(route.get("labels")).items():
        if isinstance(value, str) and "{{" in value:
            message = (
                "templates in the labels of routes are not rendered by this version; expected plain text"
            )
            yield Mistake((*path, "labels", name), message, offset=value.index("{{"))


def _grouped(path: Path, route: dict[str, Any]) -> Iterator[Mistake]:
    labels = texts(route, "group_by")
    if "..." in labels and len(labels) > 1:
        yield Mistake((*path, "group_by"), "'...' is all labels already; expected no other label beside it")
    for label, count in Counter(labels).items():
        if count > 1:
            yield Mistake((*path, "group_by"), f"the label {label!r} stands here twice; expected it once")


def _intervals(data: dict[str, Any]) -> Iterator[Mistake]:
    """Both lists share their names; the older one is only an older name."""
    yield from unique(data, "interval", "time_intervals", "mute_time_intervals")


# --- Tocsin's own --------------------------------------------------------------------------------------


def _auth(data: dict[str, Any]) -> Iterator[Mistake]:
    auth = mapping(data.get("auth"))
    yield from unique(auth, "token", "tokens", at=("auth",))
    for index, token in entries(auth, "tokens"):
        path: Path = ("auth", "tokens", index)
        yield from at_most_one(path, token, _TOKENS)
        if not any(token.get(key) for key in _TOKENS):
            yield Mistake(path, "no credential; expected token, hash or token_file")


def _templates(data: dict[str, Any], file: str) -> Iterator[Mistake]:
    language = data.get("template_language")
    advice = "write Jinja2, such as {{ group_labels.alertname }}, or leave the text out for the default one"
    if language == "go":
        message = (
            f"Go templates are not interpreted by this version; {advice}, and set template_language: jinja"
        )
        yield Mistake(("template_language",), message)
    for index, name in enumerate(texts(data, "templates")):
        kind = "Go template files are" if name.endswith(".tmpl") else "template files are"
        yield Mistake(("templates", index), f"{kind} not read by this version; {advice}")
    alertmanager = file.replace("\\", "/").rpartition("/")[2] in ALERTMANAGER_FILES
    for path, text in _all_texts(("receivers",), data.get("receivers")):
        if language == "go":
            continue  # said once, above
        if found := _GO.search(text):
            message = f"this looks like a Go template, which this version does not interpret; {advice}"
            yield Mistake(path, message, offset=found.start())
        elif alertmanager and language is None and "{{" in text:
            message = (
                "a file of Alertmanager's name has Go templates, which this version does not interpret;"
                " if this is Jinja2, set template_language: jinja"
            )
            yield Mistake(path, message, offset=text.index("{{"))
        elif len(path) > 4 and path[4] in TEMPLATED.get(str(path[2]), ()):
            yield from _broken(path, text)


def _broken(path: Path, text: str) -> Iterator[Mistake]:
    found = broken(text)
    if found is None:
        return
    what = "this template is broken" + (f" in its line {found.line}" if "\n" in text and found.line else "")
    expected = "expected Jinja2, or no text here for the default one"
    yield Mistake(path, f"{what}: {found.said}; {expected}", unquoted=f"{what}; {expected}")


def _all_texts(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    for key, child in children(value):
        yield from _all_texts((*path, key), child)
