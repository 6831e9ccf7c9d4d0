"""Slack's way back: buttons that would lead nowhere, and people who could not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path

NO_WAY_BACK: Final = Code(
    "TOC331",
    "slack-no-way-back",
    "info",
    "Slack messages without buttons",
    found="A bot token of Slack, and no section `slack` that says how presses of buttons come back.",
    bad="Messages have no buttons, since nobody would hear of a press. Who is told in Slack must go "
    "elsewhere to acknowledge.",
    example=Example("""\
        global:
          slack_app_token: ${SLACK_TOKEN}
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
        """),
    instead=Example("""\
        global:
          slack_app_token: ${SLACK_TOKEN}
        slack:
          signing_secret: ${SLACK_SIGNING_SECRET}
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
        """),
)


def _no_way_back(subject: Subject) -> Iterator[Finding]:
    if subject.config.slack.answers or (path := _bot(subject)) is None:
        return
    yield subject.finding(
        NO_WAY_BACK,
        path,
        "messages in Slack have no buttons: nothing says how presses would come back",
        "Give the section slack a signing_secret, or socket_mode: true with an app_token.",
    )


def _bot(subject: Subject) -> Path | None:
    """Where the first bot token stands that is used with buttons."""
    glob = subject.config.global_
    for at, receiver in enumerate(subject.config.receivers):
        for index, one in enumerate(receiver.slack_configs):
            if one.has_token and one.buttons:
                key = "app_token" if one.app_token is not None else "app_token_file"
                return ("receivers", at, "slack_configs", index, key)
    if glob.slack_app_token is not None or glob.slack_app_token_file is not None:
        return ("global", "slack_app_token" if glob.slack_app_token is not None else "slack_app_token_file")
    return None


NOBODY: Final = Code(
    "TOC332",
    "slack-nobody-answers",
    "error",
    "Slack buttons that everybody is refused",
    found="`unknown_users: refuse` in the section `slack`, and no user with a `slack_id`.",
    bad="Messages have buttons, and whoever presses one is refused.",
    example=Example("""\
        global:
          slack_app_token: ${SLACK_TOKEN}
        slack:
          signing_secret: ${SLACK_SIGNING_SECRET}
          unknown_users: refuse
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
        """),
    instead=Example("""\
        global:
          slack_app_token: ${SLACK_TOKEN}
        slack:
          signing_secret: ${SLACK_SIGNING_SECRET}
          unknown_users: refuse
        users:
          - name: dana
            slack_id: U024BE7LH
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
        """),
)


def _nobody(subject: Subject) -> Iterator[Finding]:
    app = subject.config.slack
    if (
        app.answers
        and app.unknown_users == "refuse"
        and not any(user.slack_id for user in subject.config.users)
    ):
        yield subject.finding(
            NOBODY,
            ("slack", "unknown_users"),
            "nobody may answer in Slack: no user has a slack_id, and all others are refused",
            "Give users their slack_id, or write unknown_users: allow.",
        )


CHECKS: Final = (Check(NO_WAY_BACK, _no_way_back), Check(NOBODY, _nobody))
