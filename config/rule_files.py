"""Prometheus' rule files -> the alerting rules in them, each with its place.

It reads what decides which alerts there are: names, expressions, static labels. Recording rules are checked
and passed over. Neither expressions nor templates are checked here; `promtool check rules` does that.
Which labels an alert of a rule has says `alert_labels.py`.

Rules: Prometheus' `model/rulefmt/rulefmt.go`; keys of newer versions and of systems that take the same files
(Thanos, Mimir, VictoriaMetrics) are accepted. A Kubernetes PrometheusRule is read through its `spec`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Final

from config.document import Node
from config.files import text_of
from config.problems import ConfigError, Path, Problem, did_you_mean
from config.source import read
from config.values import parse_duration

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from config.document import Document

MAX_RULES: Final = 100_000  # of all files together

_TOP: Final = frozenset({"groups", "namespace"})
_GROUP: Final = frozenset(
    {"name", "interval", "query_offset", "limit", "rules", "labels"}
    | {"source_tenants", "evaluation_delay", "align_evaluation_time_on_interval"}  # Mimir
    | {"partial_response_strategy"}  # Thanos
    | {"type", "concurrency", "params", "headers", "notifier_headers", "tenant"}  # VictoriaMetrics
    | {"eval_offset", "eval_delay", "eval_alignment", "debug"}
)
_RULE: Final = frozenset(
    {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
    | {"debug", "update_entries_limit"}  # VictoriaMetrics
)
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NAME: Final = "__name__"


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """A label that a rule sets. `value` may be a Go template; the place is the value's, counted from 1."""

    name: str
    value: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alerting rule.

    Attributes:
        name: the alert's `alertname`.
        group: the name of the group it stands in.
        labels: those that the rule sets, and those that its group sets for all its rules.
        path: from the top of the file, as problems print it.
        line, column: of its `alert:`, counted from 1.
        holds: how long its expression must hold before it fires (`for`), ms.
        annotations: as it writes them, templates and all.
    """

    name: str
    expr: str
    group: str
    labels: tuple[RuleLabel, ...]
    file: str
    path: Path
    line: int
    column: int
    holds: int = 0
    annotations: tuple[RuleLabel, ...] = ()


def load_rules(files: Iterable[str | os.PathLike[str]]) -> tuple[AlertRule, ...]:
    """The alerting rules of all files, in order.

    Raises:
        ConfigError: with the problems of all files.
    """
    rules: list[AlertRule] = []
    problems: list[Problem] = []
    for file in map(FilePath, files):
        try:
            rules += read_rules(text_of(file, "a file of Prometheus rules"), str(file))
        except ConfigError as error:
            problems += error.problems
        if len(rules) > MAX_RULES:
            message = f"more than {MAX_RULES:,} alerting rules with this file; expected fewer files at once"
            problems.append(Problem(str(file), 1, 1, "", message))
            break
    if problems:
        raise ConfigError(problems)
    return tuple(rules)


def read_rules(text: str, file: str) -> tuple[AlertRule, ...]:
    """The alerting rules in the text of one file; `file` stands in errors and in the rules' places.

    Raises:
        ConfigError: with all that is wrong with it.
    """
    if not _says_something(text):
        return ()
    document = read(text, file, None)
    reader = _Reader(document)
    rules = reader.read()
    if reader.problems:
        raise ConfigError(reader.problems)
    return tuple(rules)


def _says_something(text: str) -> bool:
    """An empty file has no rules, as for Prometheus; to the reader of documents it would be an error."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return any(line and not line.startswith("#") and line != "---" for line in lines)


class _Reader:
    """Walks one document and collects rules and problems."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = list(document.problems)

    def read(self) -> list[AlertRule]:
        path: Path = ()
        root = self.document.root
        if root.kind == "mapping" and _text_at(root, "kind") == "PrometheusRule":
            path, root = ("spec",), _at(root, "spec") or Node("nothing", root.line, root.column)
        if not self._mapping(path, root, _TOP, "groups: and a list of them below it"):
            return []
        rules: list[AlertRule] = []
        seen: dict[str, int] = {}
        for at, group in self._items((*path, "groups"), _at(root, "groups")):
            rules += self._group(at, group, seen)
        return rules

    def _report(self, path: Path, message: str, *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, key=key))

    def _group(self, path: Path, group: Node, seen: dict[str, int]) -> list[AlertRule]:
        if not self._mapping(path, group, _GROUP, "a group: name: and rules:"):
            return []
        name = self._scalar((*path, "name"), _at(group, "name"))
        if name == "":
            self._report(path, "this group has no name; expected one that no other group of the file has")
        elif name is not None and name in seen:
            self._report(
                (*path, "name"), f"the group {name!r} stands here twice; the first is in line {seen[name]}"
            )
        elif name is not None:
            seen[name] = group.line
        for key in ("interval", "query_offset"):
            self._duration((*path, key), _at(group, key))
        self._limit((*path, "limit"), _at(group, "limit"))
        common = self._labels((*path, "labels"), _at(group, "labels"))
        rules: list[AlertRule] = []
        for at, rule in self._items((*path, "rules"), _at(group, "rules")):
            if found := self._rule(at, rule, name or "", common):
                rules.append(found)
        return rules

    def _rule(self, path: Path, rule: Node, group: str, common: tuple[RuleLabel, ...]) -> AlertRule | None:
        if not self._mapping(path, rule, _RULE, "a rule: alert: and expr:"):
            return None
        record = self._scalar((*path, "record"), _at(rule, "record"))
        alert = self._scalar((*path, "alert"), _at(rule, "alert"))
        expr = self._scalar((*path, "expr"), _at(rule, "expr"))
        if record and alert:
            self._report((*path, "record"), "record stands beside alert; expected only one of them", key=True)
        elif record == "" and alert == "":
            self._report(path, "neither alert nor record has a name; expected one of them")
        if expr == "":
            self._report(path, "this rule has no expr; expected an expression in PromQL")
        for key in ("for", "keep_firing_for"):
            self._duration((*path, key), _at(rule, key))
        labels = self._labels((*path, "labels"), _at(rule, "labels"))
        annotations = self._labels((*path, "annotations"), _at(rule, "annotations"), "annotation")
        if record:
            self._recording(path, rule, annotations)
        if not alert or expr is None:
            return None
        own = {label.name for label in labels}
        place = rule.entries["alert"][1]
        return AlertRule(
            name=alert,
            expr=expr,
            group=group,
            labels=labels + tuple(label for label in common if label.name not in own),
            file=self.document.file,
            path=path,
            line=place.line,
            column=place.column,
            holds=_milliseconds(_text_at(rule, "for")) or 0,
            annotations=annotations,
        )

    def _recording(self, path: Path, rule: Node, annotations: tuple[RuleLabel, ...]) -> None:
        """A recording rule makes no alert; what only alerts have is an error in it."""
        for key in ("for", "keep_firing_for"):
            if _milliseconds(_text_at(rule, key)):
                self._report((*path, key), f"{key} is for alerts; expected none beside record", key=True)
        if annotations:
            message = "annotations are for alerts; expected none beside record"
            self._report((*path, "annotations"), message, key=True)

    # --- the shapes of values ---

    def _mapping(self, path: Path, node: Node, known: frozenset[str], expected: str) -> bool:
        """Whether the node is a mapping, with the keys in it checked; nothing at all is passed over."""
        if node.kind == "nothing":
            return False
        if node.kind != "mapping":
            self._report(path, f"a {node.kind} cannot be here; expected {expected}")
            return False
        for key in node.entries:
            if key not in known:
                message = f"there is no key {key!r} in rule files{did_you_mean(key, known)}"
                self._report((*path, key), message, key=True)
        return True

    def _items(self, path: Path, node: Node | None) -> list[tuple[Path, Node]]:
        if node is None or node.kind == "nothing":
            return []
        if node.kind != "list":
            self._report(path, f"a {node.kind} cannot be here; expected a list, with '- ' before each item")
            return []
        return [((*path, index), item) for index, item in enumerate(node.items)]

    def _scalar(self, path: Path, node: Node | None) -> str | None:
        """The text; "" where there is none; None where something else stands, which is reported."""
        if node is None or node.kind in ("text", "nothing"):
            return node.text if node and node.kind == "text" else ""
        self._report(path, f"a {node.kind} cannot be here; expected text")
        return None

    def _duration(self, path: Path, node: Node | None) -> None:
        if node is None or node.kind == "nothing":
            return
        text = self._scalar(path, node)
        if text is not None and _milliseconds(text) is None:
            self._report(path, f"{text!r} is no duration; expected one such as 30s, 5m or 1h30m")

    def _limit(self, path: Path, node: Node | None) -> None:
        text = self._scalar(path, node)
        if text and not re.fullmatch(r"[-+]?[0-9_]+", text):
            self._report(path, f"{text!r} is no whole number; expected one, 0 for no limit")

    def _labels(self, path: Path, node: Node | None, what: str = "label") -> tuple[RuleLabel, ...]:
        if node is None or node.kind == "nothing":
            return ()
        if node.kind != "mapping":
            self._report(path, f"a {node.kind} cannot be here; expected {what}s, name: value")
            return ()
        found: list[RuleLabel] = []
        for name, (_, value) in node.entries.items():
            text = self._scalar((*path, name), value)
            if not _LABEL.fullmatch(name) or (what == "label" and name == _NAME):
                message = f"{name!r} is no name of {'an' if what[0] == 'a' else 'a'} {what} here"
                expected = "expected letters, digits and _, no digit first"
                self._report((*path, name), f"{message}; {expected}", key=True)
            elif text is not None:
                found.append(RuleLabel(name, text, value.line, value.column))
        return tuple(found)


def _milliseconds(text: str) -> int | None:
    """A duration's milliseconds, or None where the text is none."""
    try:
        return parse_duration(text)
    except ValueError:
        return None


def _at(node: Node, key: str) -> Node | None:
    entry = node.entries.get(key)
    return entry[1] if entry else None


def _text_at(node: Node, key: str) -> str:
    found = _at(node, key)
    return found.text if found else ""
