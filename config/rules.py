"""What one key alone cannot tell: rules about several keys or sections at once.

They look at the document as written, whatever else is wrong with it, so that all problems of a file are
told together; a part of the wrong shape is passed over, because the schema says so already.

Rules: the load-time errors of Alertmanager's `config/config.go`, and our own for tokens and templates.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.problems import Path, did_you_mean
from config.templates import TEMPLATED, broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALERTMANAGER_FILES: Final = frozenset({"alertmanager.yml", "alertmanager.yaml"})

_FREE: Final = frozenset({"match", "match_re", "details", "headers"})  # whose keys are the user's own
_SLACK: Final = ("api_url", "api_url_file", "app_token", "app_token_file")
_PAGERDUTY: Final = ("routing_key", "routing_key_file", "service_key", "service_key_file")
_LOGINS: Final = ("basic_auth", "authorization", "bearer_token", "bearer_token_file")
_TOKENS: Final = ("token", "hash", "token_file")
_GO: Final = re.compile(r"\{\{-?\s*(?:[.$]|(?:template|define|block|with|if|else|end|range)\b(?!\())")


class Finding(NamedTuple):
    """A problem at a path; `key` points at the key there, `offset` that many characters into the value.

    `unquoted` is the message where a variable is filled in, if `message` could show a part of its value.
    """

    path: Path
    message: str
    key: bool = False
    offset: int = 0
    unquoted: str = ""


def findings(data: Any, file: str) -> Iterator[Finding]:
    """All that is wrong with a document between its keys. `file` decides the default template language."""
    if not isinstance(data, dict):
        return
    yield from _receivers(data)
    yield from _routes(data)
    yield from _global(data)
    yield from _auth(data)
    yield from _templates(data, file)
    yield from _files_beside_values((), data)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _entries(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings in the list at `key`, with their positions."""
    value = data.get(key)
    return (
        [(i, item) for i, item in enumerate(value) if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def _texts(data: dict[str, Any], key: str) -> list[str]:
    value = data.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _at_most_one(path: Path, data: dict[str, Any], keys: Iterable[str]) -> Iterator[Finding]:
    given = [key for key in keys if data.get(key)]
    for key in given[1:]:
        yield Finding((*path, key), f"stands beside {given[0]}; expected only one of the two", key=True)


# --- receivers -----------------------------------------------------------------------------------------


def _receivers(data: dict[str, Any]) -> Iterator[Finding]:
    if "receivers" in data and data["receivers"] in (None, []):
        yield Finding(
            ("receivers",), "is empty; expected at least one receiver, such as - name: nobody", key=True
        )
    glob = _mapping(data.get("global"))
    seen: set[str] = set()
    for index, receiver in _entries(data, "receivers"):
        path: Path = ("receivers", index)
        name = receiver.get("name")
        if isinstance(name, str) and name in seen:
            yield Finding((*path, "name"), f"the receiver {name!r} stands here twice; expected unique names")
        seen.add(name if isinstance(name, str) else "")
        for at, pagerduty in _entries(receiver, "pagerduty_configs"):
            yield from _pagerduty((*path, "pagerduty_configs", at), pagerduty)
        for at, slack in _entries(receiver, "slack_configs"):
            yield from _slack((*path, "slack_configs", at), slack, glob)
        for at, email in _entries(receiver, "email_configs"):
            yield from _email((*path, "email_configs", at), email, glob)
        for at, webhook in _entries(receiver, "webhook_configs"):
            if not (webhook.get("url") or webhook.get("url_file")):
                yield Finding((*path, "webhook_configs", at), "no address; expected url or url_file")
        for kind in ("pagerduty_configs", "slack_configs", "webhook_configs"):
            for at, integration in _entries(receiver, kind):
                yield from _http((*path, kind, at, "http_config"), integration.get("http_config"))


def _pagerduty(path: Path, data: dict[str, Any]) -> Iterator[Finding]:
    yield from _at_most_one(path, data, _PAGERDUTY)
    if not any(data.get(key) for key in _PAGERDUTY):
        yield Finding(path, "no key of a PagerDuty service; expected routing_key or routing_key_file")


def _slack(path: Path, data: dict[str, Any], glob: dict[str, Any]) -> Iterator[Finding]:
    yield from _at_most_one(path, data, _SLACK)
    own = [key for key in _SLACK if data.get(key)]
    given = own or [key for key in _SLACK if glob.get(f"slack_{key}")]
    if not given:
        expected = (
            "app_token (a bot token) or api_url (an incoming webhook) here, or slack_app_token in global"
        )
        yield Finding(path, f"no way to reach Slack; expected {expected}")
    elif given[0].startswith("app_token") and not data.get("channel"):
        yield Finding(path, 'no channel; expected one with a bot token, such as channel: "#alerts"')


def _email(path: Path, data: dict[str, Any], glob: dict[str, Any]) -> Iterator[Finding]:
    if not (data.get("smarthost") or glob.get("smtp_smarthost")):
        yield Finding(path, "no mail server; expected smarthost, HOST:PORT, here or smtp_smarthost in global")
    if not (data.get("from") or glob.get("smtp_from")):
        yield Finding(path, "no sender; expected from here or smtp_from in global")
    seen: dict[str, str] = {}
    for name in _mapping(data.get("headers")):
        if name.lower() in seen:
            message = f"the header {name!r} is the same as {seen[name.lower()]!r}; expected it once"
            yield Finding((*path, "headers", name), message, key=True)
        seen[name.lower()] = name
    yield from _tls((*path, "tls_config"), data.get("tls_config"))


def _global(data: dict[str, Any]) -> Iterator[Finding]:
    glob = _mapping(data.get("global"))
    yield from _at_most_one(("global",), glob, [f"slack_{key}" for key in _SLACK])
    yield from _http(("global", "http_config"), glob.get("http_config"))
    yield from _tls(("global", "smtp_tls_config"), glob.get("smtp_tls_config"))


def _http(path: Path, value: Any) -> Iterator[Finding]:
    yield from _at_most_one(path, _mapping(value), _LOGINS)
    yield from _tls((*path, "tls_config"), _mapping(value).get("tls_config"))


def _tls(path: Path, value: Any) -> Iterator[Finding]:
    data = _mapping(value)
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if data.get(one) and not data.get(other):
            yield Finding((*path, one), f"stands without {other}; expected both or neither", key=True)


def _files_beside_values(path: Path, value: Any) -> Iterator[Finding]:
    """`x` and `x_file` give the same secret in two ways."""
    if isinstance(value, dict):
        for key in value:
            if f"{key}_file" in value and (not path or path[-1] not in _FREE):
                yield from _at_most_one(path, value, (key, f"{key}_file"))
    for key, child in _children(value):
        yield from _files_beside_values((*path, key), child)


def _children(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


# --- routes --------------------------------------------------------------------------------------------


def _routes(data: dict[str, Any]) -> Iterator[Finding]:
    root = data.get("route")
    if not isinstance(root, dict):
        return
    if not root.get("receiver"):
        expected = "the name of the receiver that takes what no other route does"
        yield Finding(("route",), f"the root route has no receiver; expected {expected}", key=True)
    for key in ("matchers", "match", "match_re"):
        if root.get(key):
            message = "the root route takes every alert; expected matchers in the routes below it only"
            yield Finding(("route", key), message, key=True)
    if str(root.get("continue") or "").lower() in ("true", "yes", "on", "y", "t", "1"):
        message = "the root route has no next one to continue with; expected no continue here"
        yield Finding(("route", "continue"), message, key=True)
    receivers: list[str] | None = [
        item["name"] for _, item in _entries(data, "receivers") if isinstance(item.get("name"), str)
    ]
    if "receivers" in data and not data["receivers"]:
        receivers = None  # said once, there
    names: set[str] = set()
    for path, route in _walk(("route",), root):
        yield from _route(path, route, receivers, names)


def _walk(path: Path, route: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    yield path, route
    for index, child in _entries(route, "routes"):
        yield from _walk((*path, "routes", index), child)


def _route(
    path: Path, route: dict[str, Any], receivers: list[str] | None, names: set[str]
) -> Iterator[Finding]:
    receiver = route.get("receiver")
    if isinstance(receiver, str) and receiver and receivers is not None and receiver not in receivers:
        message = f"there is no receiver {receiver!r}; expected the name of one in receivers"
        yield Finding((*path, "receiver"), message + did_you_mean(receiver, receivers))
    name = route.get("name")
    if isinstance(name, str) and name in names:
        yield Finding((*path, "name"), f"the route {name!r} stands here twice; expected unique names")
    names.add(name if isinstance(name, str) else "")
    labels = _texts(route, "group_by")
    if "..." in labels and len(labels) > 1:
        yield Finding((*path, "group_by"), "'...' is all labels already; expected no other label beside it")
    for label, count in Counter(labels).items():
        if count > 1:
            yield Finding((*path, "group_by"), f"the label {label!r} stands here twice; expected it once")


# --- Tocsin's own --------------------------------------------------------------------------------------


def _auth(data: dict[str, Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, token in _entries(_mapping(data.get("auth")), "tokens"):
        path: Path = ("auth", "tokens", index)
        name = token.get("name")
        if isinstance(name, str) and name in seen:
            yield Finding((*path, "name"), f"the token {name!r} stands here twice; expected unique names")
        seen.add(name if isinstance(name, str) else "")
        yield from _at_most_one(path, token, _TOKENS)
        if not any(token.get(key) for key in _TOKENS):
            yield Finding(path, "no credential; expected token, hash or token_file")


def _templates(data: dict[str, Any], file: str) -> Iterator[Finding]:
    language = data.get("template_language")
    advice = "write Jinja2, such as {{ group_labels.alertname }}, or leave the text out for the default one"
    if language == "go":
        message = (
            f"Go templates are not interpreted by this version; {advice}, and set template_language: jinja"
        )
        yield Finding(("template_language",), message)
    for index, name in enumerate(_texts(data, "templates")):
        kind = "Go template files are" if name.endswith(".tmpl") else "template files are"
        yield Finding(("templates", index), f"{kind} not read by this version; {advice}")
    alertmanager = file.replace("\\", "/").rpartition("/")[2] in ALERTMANAGER_FILES
    for path, text in _all_texts(("receivers",), data.get("receivers")):
        if language == "go":
            continue  # said once, above
        if found := _GO.search(text):
            message = f"this looks like a Go template, which this version does not interpret; {advice}"
            yield Finding(path, message, offset=found.start())
        elif alertmanager and language is None and "{{" in text:
            message = (
                "a file of Alertmanager's name has Go templates, which this version does not interpret;"
                " if this is Jinja2, set template_language: jinja"
            )
            yield Finding(path, message, offset=text.index("{{"))
        elif len(path) > 4 and path[4] in TEMPLATED.get(str(path[2]), ()):
            yield from _broken(path, text)


def _broken(path: Path, text: str) -> Iterator[Finding]:
    found = broken(text)
    if found is None:
        return
    what = "this template is broken" + (f" in its line {found.line}" if "\n" in text and found.line else "")
    expected = "expected Jinja2, or no text here for the default one"
    yield Finding(path, f"{what}: {found.said}; {expected}", unquoted=f"{what}; {expected}")


def _all_texts(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    for key, child in _children(value):
        yield from _all_texts((*path, key), child)
