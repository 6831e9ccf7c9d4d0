"""The reference deployment as a table: its 25 alerts, and exactly who is told of each at once.

The table is written after what the deployment's guide promises, not after the configuration that is tested.
`job` is where the metric comes from: inhibition goes by it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import config

FOLDER = Path(config.__path__[0]) / "examples" / "reference"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
NAIVE = Path(__file__).parents[1] / "config" / "reference_naive" / "tocsin.yaml"
ENV = {
    "SLACK_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "5ec7e7",
    "PAGERDUTY_WEBHOOK_SECRET": "whsec",
    "PAGERDUTY_API_TOKEN": "u+12",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/naive",
    "SMTP_PASSWORD": "smtp-password",
    "TOCSIN_INGEST_TOKEN": "ingest-token-0123456789",
    "TOCSIN_OPERATOR_TOKEN": "operator-token-0123456789",
    "PAGERDUTY_CRITICAL_KEY": "critical",
    "PAGERDUTY_SYSTEM_DOWN_KEY": "system-down",
    "PAGERDUTY_SECURITY_KEY": "security",
}

APP = "freeagentics-backend"
CRITICAL_MAIL = "oncall@ sre@"
TABLE = f"""
FreeAgenticsSystemDown     | critical | system          | backend           | sre      | 30s | {APP} | system-down, #incidents #sre, {CRITICAL_MAIL} engineering@ cto@
HighSystemErrorRate        | critical | system          | api               | backend  | 2m  | {APP} | critical, #critical-alerts #backend, {CRITICAL_MAIL}
SystemMemoryUsageCritical  | critical | system          | memory            | sre      | 5m  | {APP} | critical, #sre-alerts #sre, {CRITICAL_MAIL}
AgentCoordinationFailure   | critical | coordination    | agents            | agents   | 1m  | {APP} | critical, #agents-alerts #agents, {CRITICAL_MAIL}
HighAPIResponseTime        | high     | performance     | api               | backend  | 3m  | {APP} | , #backend-high-alerts #backend,
HighAgentErrorRate         | high     | agents          | agent_errors      | agents   | 2m  | {APP} | , #agents-high-alerts #agents,
HighDatabaseConnections    | high     | database        | postgresql        | database | 5m  | postgres | , #database-high-alerts #database,
FreeEnergyAnomaly          | high     | inference       | belief_system     | agents   | 5m  | {APP} | , #agents-high-alerts #agents,
AgentMemoryUsageWarning    | medium   | performance     | agents            | agents   | 10m | {APP} | , #performance #agents,
SlowCoalitionFormation     | medium   | coordination    | coalitions        | agents   | 5m  | {APP} | , #agents-medium-alerts #coalitions #agents,
KnowledgeGraphGrowthRate   | medium   | knowledge_graph | graph_engine      | backend  | 15m | {APP} | , #backend-medium-alerts #backend,
LowInferenceOperationRate  | medium   | business        | inference         | backend  | 10m | {APP} | , #product #inference #backend,
HighAuthenticationFailures | high     | security        | authentication    | security | 1m  | {APP} | , #security-high-alerts #security,
SecurityAnomalyDetected    | critical | security        | anomaly_detection | security | 0s  | {APP} | security, #security-incidents #security, {CRITICAL_MAIL}
AccessViolationDetected    | high     | security        | access_control    | security | 0s  | {APP} | , #security-high-alerts #security,
LowUserInteractionRate     | medium   | business        | user_interactions | product  | 30m | {APP} | , #product,
ResponseQualityDegradation | medium   | business        | response_quality  | product  | 10m | {APP} | , #product,
HighContainerRestartRate   | medium   | infrastructure  | containers        | sre      | 5m  | kube     | , #alerts #sre,
HighDiskUsage              | high     | infrastructure  | filesystem        | sre      | 5m  | node     | , #sre-high-alerts #sre,
HighNetworkLatency         | medium   | infrastructure  | network           | sre      | 5m  | {APP} | , #alerts #sre,
AgentCoordinationTimeout   | high     | coordination    | timeouts          | agents   | 2m  | {APP} | , #agents-high-alerts #agents,
HighConcurrentSessions     | medium   | coordination    | sessions          | agents   | 5m  | {APP} | , #agents-medium-alerts #agents,
SlowBeliefConvergence      | medium   | coordination    | belief_system     | agents   | 5m  | {APP} | , #agents-medium-alerts #belief-system #agents,
HighPredictionErrorRate    | medium   | prediction      | belief_system     | agents   | 5m  | {APP} | , #belief-system #agents,
BeliefAccuracyDegradation  | medium   | prediction      | belief_system     | agents   | 10m | {APP} | , #belief-system #agents,
"""  # noqa: E501 - a line for each alert


class Case(NamedTuple):
    """An alert of the deployment: its labels, for how long its expression must hold, and who is told at once.

    `told` are (kind, address): a PagerDuty key, a channel, or all addresses of one mail.
    """

    labels: dict[str, str]
    hold: str
    told: list[tuple[str, str]]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


def _case(line: str) -> Case:
    name, severity, category, component, team, hold, job, told = map(str.strip, line.split("|"))
    key, channels, mail = map(str.strip, told.split(","))
    addresses = ", ".join(f"{one}freeagentics.com" for one in mail.split())
    expected = [("pagerduty", key)] if key else []
    expected += [("slack", channel) for channel in channels.split()]
    expected += [("email", addresses)] if addresses else []
    labels = {"severity": severity, "category": category, "component": component, "team": team, "job": job}
    return Case({"alertname": name} | labels, hold, sorted(expected))


CASES = [_case(line) for line in TABLE.strip().splitlines()]
BY_NAME = {case.name: case for case in CASES}


def address(settings: Any) -> str:
    """Where an integration's settings lead: the key, the channel, or the addresses."""
    if key := getattr(settings, "routing_key", None):
        return str(key.get_secret_value())
    return str(getattr(settings, "channel", "") or settings.to)


def text(file: Path = FOLDER / "tocsin.yaml") -> str:
    """A configuration with its variables filled in."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: ENV.get(m[1], m[2] or ""), file.read_text())
