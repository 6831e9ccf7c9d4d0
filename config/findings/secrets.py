"""Secrets that stand where everybody reads them, and files that hold none."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from config.explain import is_secret, section_at, type_at
from config.findings.check import Check
from config.findings.code import Code, Example
from config.secret import SecretError, reveal
from config.section import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.document import Node
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path

_ADDRESSES: Final = frozenset({"url", "api_url", "slack_api_url", "proxy_url"})
_TOKEN: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}")
_PLAIN: Final = frozenset({"route", "inhibit_rules", "time_intervals", "mute_time_intervals", "severities"})

CLEAR: Final = Code(
    "TOC501",
    "secret-in-clear-text",
    "warning",
    "A secret in clear text",
    found="A key, token, password or address with one in it that is written in the file itself.",
    bad="The file lies in a repository, in backups, on screens. Who reads it can page, post and send "
    "mail in your name; and to change the secret, the file must change.",
    example=Example("""\
        receivers:
          - name: default
            pagerduty_configs:
              - routing_key: R03XYZ4EXAMPLE0000000000000000AB
        """),
    instead=Example("""\
        receivers:
          - name: default
            pagerduty_configs:
              - routing_key: ${PAGERDUTY_KEY}
        """),
)


def _clear(subject: Subject) -> Iterator[Finding]:
    for path, node in _values(subject):
        if node.filled_in or node.stands_in or not node.text or not is_secret(path):
            continue
        key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        if (key in _ADDRESSES or path == ("redis", "url")) and not _holds_a_secret(node.text):
            continue
        section = section_at(path[:-1])
        known = keys_of(section) if section else {}
        other = f", or name a file in {key}_file" if f"{key}_file" in known else ""
        variable = re.sub(r"[^A-Z0-9]+", "_", key.upper())
        yield subject.finding(
            CLEAR,
            path,
            "a secret stands here in clear text",
            f"Write ${{{variable}}} and set it in the environment{other}.",
        )


def _holds_a_secret(address: str) -> bool:
    try:
        parts = urlsplit(address)
        if parts.password:
            return True
    except ValueError:
        return False
    if parts.hostname == "hooks.slack.com":
        return True
    return any(_TOKEN.fullmatch(part) for part in re.split(r"[/&=?]", f"{parts.path}?{parts.query}"))


NO_FILE: Final = Code(
    "TOC504",
    "secret-file-unreadable",
    "error",
    "A file that is not there, or holds nothing",
    found="A key such as `routing_key_file` whose file cannot be read now, is empty, or is no text. It "
    "is not looked for with `--without-env`.",
    bad="It is read anew at each message, so nothing notices until somebody is to be told, and then "
    "nobody is.",
    example=Example("""\
        receivers:
          - name: default
            pagerduty_configs:
              - routing_key_file: no-such-file
        """),
    instead=Example("""\
        receivers:
          - name: default
            pagerduty_configs:
              - routing_key: ${PAGERDUTY_KEY}
        """),
)


def _no_file(subject: Subject) -> Iterator[Finding]:
    if subject.without_env:
        return
    base = FilePath(subject.document.file).absolute().parent
    for path, node in _values(subject):
        if not node.text or node.stands_in or type_at(path) is not FilePath:
            continue
        try:
            reveal(None, base / node.text)
        except SecretError as error:
            said = "the secret in the file named here cannot be read" if node.filled_in else str(error)
            advice = "Put the secret there, readable for Tocsin; where it is not at hand, use --without-env."
            yield subject.finding(NO_FILE, path, said, advice)


def _values(subject: Subject) -> Iterator[tuple[Path, Node]]:
    """Every text outside of the sections that have neither secrets nor files."""
    for key, (_, top) in subject.document.root.entries.items():
        if key not in _PLAIN:
            yield from (found for found in top.walk((key,)) if found[1].kind == "text")


CHECKS: Final = (Check(CLEAR, _clear), Check(NO_FILE, _no_file))
