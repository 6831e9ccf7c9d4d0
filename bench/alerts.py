"""The alerts that both peers are sent, and the requests that carry them, made before anything is measured.

The two peers take the same alerts in their own words: Alertmanager as a list on its API v2 (what Prometheus
posts), Tocsin as Alertmanager's webhook or as the same list.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

Form = Literal["webhook", "posted"]
TEAMS = ("backend", "frontend", "database", "network", "platform", "payments", "search", "mobile")

CONFIG = """\
route:
  receiver: sink
  group_by: [alertname, cluster]
  group_wait: {wait}
  routes:
{routes}
receivers:
  - name: sink
    webhook_configs:
      - url: http://127.0.0.1:{sink}/
        send_resolved: true
  - name: other
    webhook_configs:
      - url: http://127.0.0.1:{sink}/other
"""
ROUTES = """\
    - matchers: [team="{team}"]
      receiver: sink
      routes:
        - matchers: [severity="critical", environment=~"prod.*"]
          receiver: other
"""


def config(sink: int, wait: str) -> str:
    """One configuration that both peers can read: eight teams with two routes each."""
    return CONFIG.format(sink=sink, wait=wait, routes="".join(ROUTES.format(team=team) for team in TEAMS))


def alert(group: str, member: int, at_ms: int) -> dict[str, Any]:
    """One alert as a Kubernetes cluster has them: ten labels, three annotations. `group` is its alertname."""
    pod = f"api-{member:05d}"
    return {
        "labels": {
            "alertname": group,
            "cluster": "eu-west-1",
            "container": "api",
            "environment": "production",
            "instance": f"10.0.{member // 250 % 250}.{member % 250}:8080",
            "job": "kube-state-metrics",
            "namespace": "checkout",
            "pod": pod,
            "severity": "high",
            "team": TEAMS[sum(group.encode()) % len(TEAMS)],
        },
        "annotations": {
            "summary": f"Pod checkout/{pod} is restarting 1.2 times in 10 minutes",
            "description": f"Container api of pod {pod} in namespace checkout has restarted again and again; "
            "its last state is CrashLoopBackOff.",
            "runbook_url": "https://runbooks.example.com/kubernetes/pod-crash-looping",
        },
        "startsAt": rfc3339(at_ms),
        "generatorURL": "http://prometheus.example.com:9090/graph?g0.expr=increase%28kube_pod_container_status"
        "_restarts_total%5B10m%5D%29+%3E+1&g0.tab=1",
    }


def rfc3339(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms / 1000)) + f".{at_ms % 1000:03d}Z"


def body(alerts: Sequence[dict[str, Any]], form: Form) -> bytes:
    """The alerts as a peer wants them."""
    if form == "posted":
        until = rfc3339(int(time.time() * 1000) + 240_000)  # as Prometheus: four evaluations ahead
        return orjson.dumps([one | {"endsAt": until} for one in alerts])
    rows = [
        {"status": "firing", **one, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{index:016x}"}
        for index, one in enumerate(alerts)
    ]
    group = {"alertname": alerts[0]["labels"]["alertname"], "cluster": alerts[0]["labels"]["cluster"]}
    return orjson.dumps(
        {
            "receiver": "tocsin",
            "status": "firing",
            "alerts": rows,
            "groupLabels": group,
            "commonLabels": group,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager-a.example.com:9093",
            "version": "4",
            "groupKey": '{}:{alertname="x", cluster="eu-west-1"}',
            "truncatedAlerts": 0,
        }
    )


PATHS = {"webhook": "/webhook", "posted": "/api/v2/alerts"}


def request(payload: bytes, form: Form) -> bytes:
    """The whole request, ready for the wire."""
    head = (
        f"POST {PATHS[form]} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


@dataclass(frozen=True, slots=True)
class Shape:
    """What one case sends: `groups` of `members` alerts in each of `bodies` bodies."""

    groups: int
    members: int
    bodies: int

    @property
    def alerts(self) -> int:
        """In one body."""
        return self.groups * self.members

    def requests(self, form: Form, run: str) -> list[bytes]:
        """Distinct alerts in each body; `run` makes them differ from every other run's."""
        now = int(time.time() * 1000)
        return [
            request(
                body(
                    [
                        alert(f"PodCrashLooping{run}n{number}g{group}", number * 7 + group * 3 + member, now)
                        for group in range(self.groups)
                        for member in range(self.members)
                    ],
                    form,
                ),
                form,
            )
            for number in range(self.bodies)
        ]
