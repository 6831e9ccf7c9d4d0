"""PagerDuty's way back: acknowledgements over there that nobody here would hear of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.policies import TargetConfig
    from config.schema import Config

_PAGE: Final = """\
route:
  receiver: default
  routes:
    - matchers: [severity="critical"]
      policy: page
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: pager}]
receivers:
  - name: default
  - name: pager
    pagerduty_configs: [{routing_key: "${PAGERDUTY_KEY}"}]
"""

NO_WAY_BACK: Final = Code(
    "TOC341",
    "pagerduty-no-way-back",
    "info",
    "A policy that does not hear of acknowledgements in PagerDuty",
    found="A policy that tells PagerDuty, and no section `pagerduty` with the secret of a webhook.",
    bad="Whoever acknowledges in PagerDuty is not heard here: the policy goes on, and the next people are "
    "told. They must acknowledge here as well.",
    example=Example(_PAGE),
    instead=Example(
        _PAGE
        + """\
pagerduty:
  webhook_secret: ${PAGERDUTY_WEBHOOK_SECRET}
  api_token: ${PAGERDUTY_API_TOKEN}
"""
    ),
)


def _no_way_back(subject: Subject) -> Iterator[Finding]:
    config = subject.config
    if config.pagerduty.answers:
        return
    for position, policy in enumerate(config.escalation_policies):
        for number, step in enumerate(policy.steps):
            for at, target in enumerate(step.notify):
                if _by_pagerduty(target, config):
                    yield subject.finding(
                        NO_WAY_BACK,
                        ("escalation_policies", position, "steps", number, "notify", at),
                        "PagerDuty is told here, and what is acknowledged there does not come back",
                        "Give the section pagerduty the webhook_secret of a webhook subscription.",
                    )
                    return  # once: it concerns all policies alike


def _by_pagerduty(target: TargetConfig, config: Config) -> bool:
    """Whether a target is told through PagerDuty by itself: whoever is on call then is not looked at."""
    if target.receiver:
        return any(one.pagerduty_configs for one in config.receivers if one.name == target.receiver)
    if target.user:
        known = [one for one in config.users if one.name == target.user]
        return any(one.pagerduty or one.pagerduty_file for one in known)
    return target.team == "pagerduty"


NO_TOKEN: Final = Code(
    "TOC342",
    "pagerduty-reads-nothing",
    "info",
    "PagerDuty's webhooks without a token to read what they leave out",
    found="A `webhook_secret` in the section `pagerduty`, and no `api_token`.",
    bad="Where PagerDuty groups several alerts into one incident, its webhook names the key of one of them "
    "or of none: what is done to that incident there does not come back for the others. And people are "
    "known by the name that PagerDuty shows, not by their mail address.",
    example=Example("""\
        pagerduty:
          webhook_secret: ${PAGERDUTY_WEBHOOK_SECRET}
        """),
    instead=Example("""\
        pagerduty:
          webhook_secret: ${PAGERDUTY_WEBHOOK_SECRET}
          api_token: ${PAGERDUTY_API_TOKEN}
        """),
)


def _no_token(subject: Subject) -> Iterator[Finding]:
    app = subject.config.pagerduty
    if app.answers and not app.reads:
        key = "webhook_secret" if app.webhook_secret is not None else "webhook_secret_file"
        yield subject.finding(
            NO_TOKEN,
            ("pagerduty", key),
            "without a token of the REST API, webhooks about grouped alerts cannot be told apart",
            "Give it an api_token, one that may only read.",
        )


CHECKS: Final = (Check(NO_WAY_BACK, _no_way_back), Check(NO_TOKEN, _no_token))
