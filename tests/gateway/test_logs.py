"""What the log shows, and what it never shows."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings

import pytest
import structlog

from gateway import logs


@pytest.fixture
def restored():
    """Logging as it was, after the test."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True
    structlog.reset_defaults()


@pytest.fixture
def said(capsys, restored):
    """The log's lines as JSON, after the action."""

    def lines():
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return lines


def test_an_event_is_one_json_object_with_its_fields(said):
    logs.configure("info", "json")
    structlog.get_logger("gateway.engine").info("incident.triggered", incident=1042, route="critical")
    [line] = said()
    assert line.pop("time").endswith("Z")
    assert line == {"event": "incident.triggered", "incident": 1042, "route": "critical", "level": "info"}


def test_what_is_below_the_level_is_not_said(said):
    logs.configure("warning", "json")
    structlog.get_logger("gateway.engine").info("incident.triggered")
    assert said() == []


def test_bound_context_is_on_every_line(said):
    logs.configure("info", "json")
    with structlog.contextvars.bound_contextvars(incident=7):
        structlog.get_logger("gateway.sender").info("delivery.sent")
    assert said()[0]["incident"] == 7


def test_libraries_warn_through_the_same_form_and_are_quiet_otherwise(said):
    logs.configure("debug", "json")
    logging.getLogger("aiohttp.server").info("chatter")
    logging.getLogger("aiohttp.server").warning("cannot parse %s", "Bearer abcdefghijkl")
    assert [(line["event"], line["level"]) for line in said()] == [("cannot parse Bearer ***", "warning")]


def test_a_python_warning_is_a_line(said):
    logs.configure("info", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", stacklevel=1)
    assert "old thing" in said()[0]["event"]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("password", "hunter2", "***"),
        ("routing_key", "R0UT1NG", "***"),
        ("slack_app_token", "xoxb-1-2", "***"),
        (
            "headers",
            {"Authorization": "Bearer abc", "Accept": "*/*"},
            {"Authorization": "***", "Accept": "*/*"},
        ),
        ("url", "redis://user:hunter2@host:6379/0", "redis://user:***@host:6379/0"),
        ("url", "redis://:hunter2@host", "redis://:***@host"),
        ("url", "https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/***"),
        ("path", "GET /link/WzQyLDJd.qZ-_8 HTTP/1.1", "GET /link/*** HTTP/1.1"),
        ("url", "http://host/x?token=abc&page=2", "http://host/x?token=***&page=2"),
        ("reason", "401 for Basic dXNlcjpwYXNz", "401 for Basic ***"),
        ("reason", ["sent xoxb-123-abc to them"], ["sent xoxb-*** to them"]),
        ("error", ValueError("bad xapp xoxp-1-a"), "bad xapp xoxp-***"),
        (
            "reason",
            "xapp-1-A0-b wss://x.test/link?ticket=abc&app_id=A",
            "xapp-*** wss://x.test/link?ticket=***&app_id=A",
        ),
        ("token", None, None),
        ("tokens", 3, 3),
        ("incident", 1042, 1042),
        ("labels", {"alertname": "TokenExpired"}, {"alertname": "TokenExpired"}),
    ],
)
def test_a_secret_that_slips_in_is_hidden(said, field, value, shown):
    logs.configure("info", "json")
    structlog.get_logger("gateway.x").info("event", **{field: value})
    assert said()[0][field] == shown


def log_in(password: str) -> None:
    raise ValueError(f"cannot reach smtp://me:{password}@host")


def test_a_traceback_shows_no_local_variables_and_no_secret(said):
    logs.configure("info", "json")
    try:
        log_in("hunter2".strip())
    except ValueError:
        structlog.get_logger("gateway.x").exception("bug")
    text = said()[0]["exception"]
    assert "ValueError" in text
    assert "smtp://me:***@host" in text
    assert "password =" not in text


def test_a_label_cannot_steer_the_terminal_or_fake_a_line(capsys, restored):
    logs.configure("info", "console")
    structlog.get_logger("gateway.x").info("alert.new", name="a\x1b[2J\n12:00:00 [info] fake\u202e")
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "\x1b[2J" not in text
    assert "a␛[2J␊12:00:00" in text


def test_what_cannot_be_written_as_json_is_said_all_the_same(said):
    logs.configure("info", "json")
    structlog.get_logger("gateway.x").info("odd", thing=object(), lone="\ud800")
    assert said()[0]["thing"].startswith("<object")


def test_a_closed_pipe_does_not_stop_the_program():
    script = """
import os, sys, structlog
from gateway import logs
logs.configure("info", "json")
os.close(2)
structlog.get_logger("gateway.x").info("lost")
print("alive")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert run.stdout == "alive\n"
