"""Teams that cannot be told as policies tell them, and names of teams and people that lead nowhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import everybody
from config.findings.severities import asked_values
from config.problems import did_you_mean
from config.schedules import calendars
from config.targets import lacking
from routing.teams import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.targets import Lack

_PAGE: Final = """\
global:
  slack_app_token: ${SLACK_TOKEN}
route:
  receiver: default
  routes:
    - matchers: [severity="critical"]
      policy: page
escalation_policies:
  - name: page
    steps:
      - notify: [{team: slack}, {receiver: default}]
"""

LACKS: Final = Code(
    "TOC305",
    "team-lacks-way",
    "warning",
    "A team that cannot be told as a policy tells teams",
    found="A team without what a policy's step needs, such as `{team: slack}` for a team without "
    "`slack_channel`, and no `team_defaults` to stand in.",
    bad="The step passes this target over. If it has no other, the root's receiver is told in its place.",
    example=Example(
        _PAGE
        + """\
teams:
  - name: backend
    email: backend@example.com
team_defaults:
  email: operations@example.com
"""
    ),
    instead=Example(
        _PAGE
        + """\
teams:
  - name: backend
    email: backend@example.com
    slack_channel: "#backend"
team_defaults:
  slack_channel: "#operations"
"""
    ),
)
FALLS_BACK: Final = Code(
    "TOC306",
    "team-falls-back",
    "info",
    "A team for which team_defaults stand in",
    found="A team without what a policy's step needs, where `team_defaults` have it.",
    bad="It works as configured: others are told in the team's place. It is said so that nobody is "
    "surprised.",
    example=Example(
        _PAGE
        + """\
teams:
  - name: backend
    email: backend@example.com
team_defaults:
  slack_channel: "#operations"
"""
    ),
    instead=Example(
        _PAGE
        + """\
teams:
  - name: backend
    slack_channel: "#backend"
team_defaults:
  slack_channel: "#operations"
"""
    ),
)
NO_TEAM: Final = Code(
    "TOC307",
    "team-defaults-lack-way",
    "info",
    "Alerts without a team cannot be told as a policy tells teams",
    found="`team_defaults` without what a policy's step needs, such as `{team: slack}`.",
    bad="An alert that is no team's has nobody for this target. If the step has no other, the root's "
    "receiver is told in its place.",
    example=Example(
        _PAGE
        + """\
teams:
  - name: backend
    slack_channel: "#backend"
"""
    ),
    instead=Example(
        _PAGE
        + """\
teams:
  - name: backend
    slack_channel: "#backend"
team_defaults:
  slack_channel: "#operations"
"""
    ),
)


def _lacks(code: Code, subject: Subject) -> Iterator[Finding]:
    names = subject.plan.severities.names
    for lack in lacking(subject.config, names):
        if not lack.asked or _code_of(lack) is not code:
            continue
        key = {"slack": "slack_channel"}.get(lack.way, lack.way)
        some = "" if set(lack.severities) == set(names) else f" for {', '.join(lack.severities)}"
        if lack.team is None:
            path = (
                ("team_defaults",)
                if "team_defaults" in subject.document.root.entries
                else ("escalation_policies",)
            )
            reason = f"a policy tells {{team: {lack.way}}}, and an alert without a team has no {key}{some}"
            yield subject.finding(code, path, reason, f"Write {key} in team_defaults.", key=True)
            continue
        name = subject.name(("teams", lack.team, "name"))
        reason = f"a policy tells {{team: {lack.way}}}, and the team {name} has no {key}{some}"
        if lack.covered:
            reason += "; that of team_defaults is told"
        yield subject.finding(code, ("teams", lack.team), reason, f"Write {key} there, or in team_defaults.")


def _code_of(lack: Lack) -> Code:
    if lack.team is None:
        return NO_TEAM
    return FALLS_BACK if lack.covered else LACKS


UNKNOWN: Final = Code(
    "TOC309",
    "team-unknown",
    "warning",
    "A matcher for a team that there is not",
    found="A matcher that asks for a value of the label `team` that is no name in `teams`.",
    bad="It is a typing error, or these alerts count as having no team: policies tell `team_defaults` of "
    "them.",
    example=Example("""\
        teams:
          - name: backend
            email: backend@example.com
        route:
          receiver: default
          routes:
            - matchers: [team="backnd"]
              receiver: chat
        """),
    instead=Example("""\
        teams:
          - name: backend
            email: backend@example.com
        route:
          receiver: default
          routes:
            - matchers: [team="backend"]
              receiver: chat
        """),
)


def _unknown(subject: Subject) -> Iterator[Finding]:
    known = [team.name for team in subject.config.teams]
    if not known:
        return
    hidden = subject.filled_in(("teams",))
    for path, name in asked_values(subject, LABEL):
        if name and name not in known:
            yield subject.finding(
                UNKNOWN,
                path,
                f"there is no team {name!r} in teams" + ("" if hidden else did_you_mean(name, known)),
                "Correct it, or add the team to teams.",
            )


USER: Final = Code(
    "TOC311",
    "user-unreached",
    "info",
    "A user whom nothing names",
    found="A user who is no team's `lead` or `manager`, whom no policy tells, and who is in no schedule.",
    bad="They believe to be told, and are not.",
    example=Example("""\
        users:
          - name: dana
            email: dana@example.com
        """),
    instead=Example("""\
        users:
          - name: dana
            email: dana@example.com
        teams:
          - name: backend
            lead: dana
        """),
)


def _users(subject: Subject) -> Iterator[Finding]:
    config = subject.config
    named = {who for team in (config.team_defaults, *config.teams) for who in (team.lead, team.manager)}
    for policy in subject.plan.policies.values():
        named |= {to.name for to in everybody(policy) if to.kind == "user"}
    for schedule in config.schedules:
        named |= {name for layer in schedule.layers for turn in layer.people for name in turn}
        named |= {name for layer in schedule.layers if layer.holidays for name in layer.holidays.people or ()}
        named |= {name for override in schedule.overrides for name in override.people}
        if calendars(schedule):
            return  # anybody may be on call
    for position, user in enumerate(config.users):
        path = ("users", position, "name")
        if user.name not in named:
            reason = f"nothing names the user {subject.name(path)}"
            advice = "Name them in a schedule, a policy or a team, or take them out."
            yield subject.finding(USER, path, reason, advice)


CHECKS: Final = (
    Check(LACKS, partial(_lacks, LACKS)),
    Check(FALLS_BACK, partial(_lacks, FALLS_BACK)),
    Check(NO_TEAM, partial(_lacks, NO_TEAM)),
    Check(UNKNOWN, _unknown),
    Check(USER, _users),
)
