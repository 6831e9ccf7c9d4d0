"""All checks that need nothing but the configuration, and files like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings import (
    alert_circles,
    alert_inhibition,
    alert_labels,
    alert_pages,
    alert_routes,
    front,
    front_routes,
    front_webhook,
    grouping,
    handovers,
    heartbeats,
    inhibition,
    inhibition_circles,
    intervals,
    matchers,
    oncall,
    pagerduty,
    policies,
    receivers,
    routes,
    secrets,
    severities,
    slack,
    steps,
    teams,
)

if TYPE_CHECKING:
    from config.findings.check import Check

CHECKS: Final[tuple[Check, ...]] = (
    *routes.CHECKS,
    *matchers.CHECKS,
    *inhibition.CHECKS,
    *inhibition_circles.CHECKS,
    *receivers.CHECKS,
    *severities.CHECKS,
    *slack.CHECKS,
    *pagerduty.CHECKS,
    *teams.CHECKS,
    *steps.CHECKS,
    *policies.CHECKS,
    *handovers.CHECKS,
    *oncall.CHECKS,
    *grouping.CHECKS,
    *intervals.CHECKS,
    *secrets.CHECKS,
    *alert_routes.CHECKS,
    *alert_labels.CHECKS,
    *alert_inhibition.CHECKS,
    *alert_circles.CHECKS,
    *alert_pages.CHECKS,
    *heartbeats.CHECKS,
    *front.CHECKS,
    *front_routes.CHECKS,
    *front_webhook.CHECKS,
)
