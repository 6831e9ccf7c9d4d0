"""Rules about heartbeats and beats: what their keys mean only together, and what they name elsewhere.

They look at the document as written, as `rules.py` does. All of them are Tocsin's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.people_rules import severity_names
from config.problems import did_you_mean
from config.written import Mistake, at_most_one, entries, mapping, names, unique, unknown
from routing.heartbeats import LABEL
from routing.severity import LABEL as SEVERITY_LABEL
from routing.teams import LABEL as TEAM_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.problems import Path

_TOKEN: Final = ("token", "token_file")


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """All that is wrong between the keys of these sections."""
    severities, teams = severity_names(data), names(data, "teams")
    label = mapping(data.get("severities")).get("label") or SEVERITY_LABEL
    yield from unique(data, "heartbeat", "heartbeats")
    for at, heartbeat in entries(data, "heartbeats"):
        path: Path = ("heartbeats", at)
        yield from _ways(path, heartbeat)
        yield from _labels(path, heartbeat, {"severity": str(label), "team": TEAM_LABEL})
        severity = heartbeat.get("severity")
        if isinstance(severity, str) and severity and severity.lower() not in severities:
            message = f"there is no severity {severity!r}; expected one of {', '.join(severities)}"
            yield Mistake((*path, "severity"), message + did_you_mean(severity.lower(), severities))
        yield from unknown((*path, "team"), heartbeat.get("team"), "team", teams, "teams")
    for at, beat in entries(data, "beats"):
        path = ("beats", at)
        yield from at_most_one(path, beat, ("url", "url_file"))
        if not (beat.get("url") or beat.get("url_file")):
            yield Mistake(path, "no address; expected url or url_file")


def _ways(path: Path, heartbeat: dict[str, Any]) -> Iterator[Mistake]:
    """How a beat can come."""
    by_http = any(heartbeat.get(key) for key in _TOKEN)
    if not by_http and not heartbeat.get("matchers"):
        message = (
            "no beat can come, so that it would be missing for ever; expected matchers of an alert that"
            " always fires, or a token for POST /heartbeat/NAME"
        )
        yield Mistake(path, message)
    for key in ("token_in_path", "allow_get"):
        if not by_http and str(heartbeat.get(key) or "").lower() in ("true", "yes", "on", "y", "t", "1"):
            message = f"{key} means nothing without a token; expected token or token_file beside it"
            yield Mistake((*path, key), message, key=True)


def _labels(path: Path, heartbeat: dict[str, Any], own: dict[str, str]) -> Iterator[Mistake]:
    """Labels that say what the alert is, or what a key of their own says."""
    keys = {label: key for key, label in own.items()}
    for name in mapping(heartbeat.get("labels")):
        where = (*path, "labels", name)
        if name in ("alertname", LABEL):
            message = f"the label {name} is set by Tocsin; expected other labels only"
            yield Mistake(where, message, key=True)
        elif name in keys:
            message = f"the label {name} has a key of its own; expected {keys[name]}: beside labels"
            yield Mistake(where, message, key=True)
