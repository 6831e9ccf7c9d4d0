"""What every template can use: the values of one message, by name.

The words themselves are in `wording.py`. It compiles and renders nothing; `render.py` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from receivers.budget import Weighed
from receivers.filters import safe_url
from receivers.sandbox import words
from receivers.wording import (
    color,
    described,
    lasted,
    name,
    news,
    runbook,
    since,
    summary,
    title,
    where,
)
from routing.alerts import fingerprint

if TYPE_CHECKING:
    from receivers.base import Message, ShownAlert


class Labels(dict[str, str], Weighed):
    """Labels or annotations. A missing one is empty; one called like a method is `labels["items"]`."""

    @property
    def weight(self) -> int:  # type: ignore[override]  # computed where Weighed has a constant
        return sum(map(len, self.keys())) + sum(map(len, self.values())) + 8 * len(self)


class AlertView(Weighed):
    """One alert in a template. Times are milliseconds; `ends_at` is 0 while it fires."""

    fields = words(
        "annotations description duration ends_at expired fingerprint generator_url labels name own_labels"
        " runbook_url starts_at status summary"
    )

    def __init__(self, alert: ShownAlert, message: Message) -> None:
        self._message = message
        self.labels = Labels(alert.labels)
        self.annotations = Labels(alert.annotations)
        self.status = alert.status
        self.starts_at = alert.starts_at
        self.ends_at = alert.ends_at
        self.expired = alert.expired
        self.generator_url = safe_url(alert.generator_url)
        self.name = alert.labels.get("alertname", "")
        self.summary = alert.annotations.get("summary", "")
        self.description = described(alert.annotations)

    def __repr__(self) -> str:
        return f"{self.name or 'alert'} ({self.status})"

    @property
    def weight(self) -> int:  # type: ignore[override]  # as above
        return self.labels.weight + self.annotations.weight + 128

    @property
    def fingerprint(self) -> str:
        """Alertmanager's, 16 hex digits."""
        return fingerprint(self.labels)

    @property
    def own_labels(self) -> Labels:
        """The labels that tell this alert from the others of its incident."""
        common = self._message.common_labels
        return Labels(
            {name: value for name, value in sorted(self.labels.items()) if common.get(name) != value}
        )

    @property
    def duration(self) -> int:
        """How long it fired, or has been firing by now: milliseconds."""
        return max(0, (self.ends_at or self._message.now) - self.starts_at)

    @property
    def runbook_url(self) -> str:
        """Of this alert alone."""
        return safe_url(runbook(self.annotations))


class Variables(TypedDict):
    """What every template can use. Times and durations are milliseconds: `{{ opened_at | time }}`."""

    title: str  # one line that says it all
    name: str  # what fires
    where: str  # what the group is about beside the name: the values of its labels
    summary: str  # the one that all alerts share, else "6 alerts: db0, db1, db2 and 3 more"
    description: str  # the common one, or the only alert's
    status: str  # firing | resolved
    kind: str  # ring | update | end
    news: str  # the reason as a sentence, where it is more than that alerts fire, join, repeat or end
    reason: str  # why this is sent: "first notification", "repeat interval elapsed"...
    severity: str  # the worst
    incident: int  # its number
    url: str  # of the incident
    answer_url: str  # in mails: a page on which its reader acknowledges or resolves; "" where they cannot
    external_url: str  # of Tocsin
    runbook_url: str
    dashboard_url: str
    source_url: str  # of the rule, if the alerts shown share it
    receiver: str
    route: str
    firing: int  # counts of all alerts
    resolved: int
    new_firing: int  # of those that this receiver has not shown yet
    hidden: int  # of those beyond the first 50
    held: int  # how many more fire and are held back by a silence or an inhibition
    held_by: str  # by what, where all are: then `alerts` and `firing` are those
    acknowledged_by: str  # who has it in hand, "" for nobody, and once it is over
    acknowledged_via: str  # from where they said so: "Slack", "mail link"
    acknowledged_at: int  # since when; 0 for nobody
    acknowledged_until: int  # 0 for as long as it lasts
    upcoming: str  # what happens next if nobody does: "step 2: team lead"
    upcoming_at: int  # when, 0 for nothing
    history: list[tuple[int, str]]  # the newest lines of the timeline, oldest first: when, and what
    person: str  # the user whom this is for, "" for several
    alerts: list[AlertView]  # the first 50, firing ones first
    firing_alerts: list[AlertView]  # the same, apart
    resolved_alerts: list[AlertView]
    group_labels: Labels
    common_labels: Labels
    common_annotations: Labels
    route_labels: Labels  # the route's own
    since: int  # when the fire began, as the alerts say: before `opened_at` where they came late
    opened_at: int  # when Tocsin opened the incident
    resolved_at: int  # 0 while it is open
    now: int
    duration: int  # from `since` until now, or until the end
    color: str  # of the severity, of the end or of what is held: "#rrggbb"
    test: bool  # sent by hand to try a receiver


def variables(message: Message) -> Variables:
    """The values of `Variables` for one message."""
    views = [AlertView(alert, message) for alert in message.alerts]
    annotations = Labels(message.common_annotations)
    first = views[0].annotations if views else Labels()
    alone = first if len(views) == 1 else annotations
    sources = {view.generator_url for view in views}
    ack = message.acknowledged if message.status == "firing" else None
    return {
        "status": message.status,
        "kind": message.kind,
        "reason": message.reason,
        "news": news(message),
        "incident": message.incident,
        "receiver": message.receiver,
        "route": message.route,
        "severity": message.severity,
        "firing": message.firing,
        "resolved": message.resolved,
        "new_firing": message.new_firing,
        "hidden": max(0, message.firing + message.resolved - len(views)),
        "held": message.held,
        "held_by": message.held_by,
        "alerts": views,
        "firing_alerts": [view for view in views if view.status == "firing"],
        "resolved_alerts": [view for view in views if view.status == "resolved"],
        "group_labels": Labels(message.group_labels),
        "common_labels": Labels(message.common_labels),
        "common_annotations": annotations,
        "route_labels": Labels(message.route_labels),
        "title": title(message),
        "name": name(message),
        "where": where(message),
        "summary": summary(message),
        "description": described(alone),
        "runbook_url": safe_url(runbook(annotations)) or safe_url(runbook(first)),
        "dashboard_url": safe_url(annotations.get("dashboard_url") or annotations.get("dashboard", "")),
        "source_url": sources.pop() if len(sources) == 1 else "",
        "url": safe_url(message.url),
        "answer_url": safe_url(message.answer_url),
        "external_url": safe_url(message.external_url),
        "acknowledged_by": ack.by if ack else "",
        "acknowledged_via": ack.via if ack else "",
        "acknowledged_at": ack.at if ack else 0,
        "acknowledged_until": ack.until if ack else 0,
        "upcoming": message.upcoming,
        "upcoming_at": message.upcoming_at,
        "history": list(message.history),
        "person": message.person,
        "since": since(message),
        "opened_at": message.opened_at,
        "resolved_at": message.resolved_at,
        "now": message.now,
        "duration": lasted(message),
        "color": color(message),
        "test": message.test,
    }
