"""The alerts that Prometheus' rules make: each fires its `for` after the beginning, with its labels.

Labels given beside the rules choose among them (`alertname`), and say what no rule tells: those of series.
What is known of a rule's labels says `config/alert_labels.py`. Expressions are not evaluated: all are true.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from config.alert_labels import NAME, labels_of
from config.findings.alerts import RuleAlert
from config.problems import did_you_mean
from config.rule_files import load_rules
from gateway.simulation.given import Given, GivenError, gathered, one_alert, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from routing.story import Arrived

MAX_ALERTS: Final = 10_000

_LABEL: Final = re.compile(r"\{\{-?\s*\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*-?\}\}")


def rule_alerts(files: Sequence[Path], at: int, fires: int | None, given: Mapping[str, str]) -> Given:
    """An alert of each rule in the files, or of those named `given["alertname"]`; in them all `given` labels.

    Raises:
        ConfigError: with the problems of all files.
        GivenError: there is no rule, or none of that name.
    """
    rules = load_rules(files)
    names = ", ".join(map(str, files))
    if not rules:
        raise GivenError(f"there is no alerting rule in {names}", "A rule begins with `- alert: NAME`.")
    wanted = given.get(NAME)
    if wanted is not None and not (named := [rule for rule in rules if rule.name == wanted]):
        known = {rule.name for rule in rules}
        raise GivenError(f"no rule in {names} makes an alert {wanted!r}{did_you_mean(wanted, known)}")
    if wanted is not None:
        rules = tuple(named)
    if len(rules) > MAX_ALERTS:
        raise GivenError(f"{len(rules):,} rules in {names}; expected at most {MAX_ALERTS:,} at once")
    arrived: list[Arrived] = []
    unknown: dict[str, list[str]] = {}
    for rule in rules:
        alert = RuleAlert(rule, labels_of(rule))
        labels = {NAME: rule.name} | alert.known() | dict(given)
        for name, values in alert.labels.known.items():
            if values.present and name not in labels:
                unknown.setdefault(name, []).append(rule.name)
        noted = {one.name: _filled(one.value, labels) for one in rule.annotations}
        arrived += one_alert(labels, at + rule.holds, fires, noted)
    notes = tuple(_unknown(name, found) for name, found in sorted(unknown.items()))
    return gathered(together(arrived), notes)


def _filled(text: str, labels: Mapping[str, str]) -> str:
    """An annotation with the labels that are known in it; the rest of its template stays."""
    return _LABEL.sub(lambda found: labels.get(found[1], found[0]), text)


def _unknown(name: str, alerts: Sequence[str]) -> str:
    some = ", ".join(alerts[:3]) + (f" and {len(alerts) - 3} more" if len(alerts) > 3 else "")
    return (
        f"the value of {name} is not known from the rules, so {some} go without it; give it as {name}=VALUE"
    )
