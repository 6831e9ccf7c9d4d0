"""What a message says, in the words that templates and receivers share: title, summary, colours, times.

Turns a `Message` into the variables of a template; how one value is shown is in `filters.py`. It
compiles and renders nothing; `render.py` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from receivers.budget import Weighed
from receivers.filters import safe_url, truncated
from receivers.sandbox import words
from routing.alerts import fingerprint
from routing.incident_records import ENDED, FIRST, GROWN, PARTLY, REPEATED
from routing.severity import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from receivers.base import Message, ShownAlert
    from routing.severity import Grade

TEST: Final = "[TEST]"
_TITLE: Final = 200
_PLACES: Final = 4
_NAMED: Final = 3
_VALUE: Final = 60
_ELSEWHERE: Final = words("alertname severity")
_ROUTINE: Final = frozenset({FIRST, GROWN, PARTLY, ENDED, REPEATED})


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
        self.description = _description(alert.annotations)

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
        return safe_url(_runbook(self.annotations))


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
        "description": _description(alone),
        "runbook_url": safe_url(_runbook(annotations)) or safe_url(_runbook(first)),
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


def title(message: Message) -> str:
    """One line, at most 200 characters: `[FIRING:2] HighLatency eu-west — p99 is above 2 s`.

    A test is `[TEST] ...` and nothing else, since filters that wake people look for FIRING; so is what is
    held, `[HELD:2] ...`, and the news that somebody has it, `[ACK] ...`.
    """
    what = " ".join(part for part in (_mark(message), name(message), where(message)) if part)
    said = summary(message)
    line = f"{what} — {said}" if said and said != name(message) else what
    return truncated(line, _TITLE)


def _mark(message: Message) -> str:
    if message.test:
        return TEST
    if message.held_by:
        return f"[HELD:{message.firing}]"
    if message.status == "resolved":
        return "[RESOLVED]"
    if message.kind == "update" and message.acknowledged:
        return "[ACK ENDS]" if message.acknowledged.reminded else "[ACK]"
    return f"[FIRING:{message.firing}]"


def news(message: Message) -> str:
    """`Dana has it (Slack).`, `Step 2: nobody has it in hand.`; "" for what the rest of a message says."""
    if message.test or message.kind == "end" or message.reason in _ROUTINE:
        return ""
    reason = message.reason.strip()
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def marked(message: Message, text: str) -> str:
    """`text`, which a template of the user's may have written, as a test's if it is one."""
    return f"{TEST} {text}" if message.test and TEST not in text else text


def also_held(message: Message) -> str:
    """`+ 3 more alerts are held`, beside those that the message is about; "" where there are none."""
    if not message.held or message.held_by:
        return ""
    return f"+ {message.held} more {'alert is' if message.held == 1 else 'alerts are'} held"


def name(message: Message) -> str:
    """What fires: the alert's name, or the names of the first few kinds."""
    if common := message.group_labels.get("alertname") or message.common_labels.get("alertname"):
        return common
    names = sorted({alert.labels.get("alertname", "") for alert in message.alerts} - {""})
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names)


def where(message: Message) -> str:
    """The values of the group's labels, each once; the name and the severity stand elsewhere."""
    values = [value for key, value in sorted(message.group_labels.items()) if key not in _ELSEWHERE and value]
    places = [value for value in dict.fromkeys(values) if value != name(message)]
    return " ".join(places[:_PLACES]) + (" …" if len(places) > _PLACES else "")


def summary(message: Message) -> str:
    """What is said of the whole group: the summary that all alerts share, else how many and which they are.

    One alert's text never stands for the others: at night it would send somebody to one machine of six.
    """
    if common := message.common_annotations.get("summary"):
        return common
    if len(message.alerts) > 1:
        return several(message)
    return (message.alerts[0].annotations.get("summary") if message.alerts else "") or name(message)


def several(message: Message) -> str:
    """`6 alerts: db0, db1, db2 and 3 more`, by the label that tells them apart best."""
    over = message.status == "resolved"
    told = [alert.labels for alert in message.alerts if over or alert.status == "firing"]
    count = max(message.resolved if over else message.firing, len(told))
    counted = "1 alert" if count == 1 else f"{count} alerts"
    label = _telling(message, told)
    values = list(dict.fromkeys(labels[label] for labels in told if labels.get(label)))[:_NAMED]
    if not values:
        return counted
    more = count - sum(labels.get(label, "") in values for labels in told)
    named = ", ".join(truncated(value, _VALUE) for value in values)
    return f"{counted}: {named}" + (f" and {more} more" if more else "")


def _telling(message: Message, told: Sequence[Mapping[str, str]]) -> str:
    """The label that differs: `instance` if it does, else the one with the most values; "" if none."""
    own = {key for labels in told for key, value in labels.items() if message.common_labels.get(key) != value}
    if "instance" in own:
        return "instance"
    kinds = {key: len({labels.get(key, "") for labels in told}) for key in own}
    return min(own, key=lambda key: (key in _ELSEWHERE, -kinds[key], key), default="")


def own_texts(alert: ShownAlert, message: Message) -> list[str]:
    """The alert's summary and description, each where the others do not say the same."""
    summary, description = alert.annotations.get("summary", ""), _description(alert.annotations)
    texts = [
        summary if summary != message.common_annotations.get("summary") else "",
        description if description != _description(message.common_annotations) else "",
    ]
    return [text for text in dict.fromkeys(texts) if text]


def _description(annotations: Mapping[str, str]) -> str:
    return annotations.get("description") or annotations.get("message", "")


def since(message: Message) -> int:
    """When what is burning began: the earliest start of the firing alerts shown, in milliseconds.

    At the end it is that of all alerts shown, and never after the opening: who ended and was told of before
    is not shown again. A start that is missing, or to come, does not count; without any, it is the opening.
    """
    over = message.status == "resolved"
    shown = [alert.starts_at for alert in message.alerts if over or alert.status == "firing"]
    begun = [start for start in shown if 0 < start <= message.now]
    return min([*begun, message.opened_at] if over else begun, default=message.opened_at)


def lasted(message: Message) -> int:
    """From `since` until the end, or until now: milliseconds."""
    return max(0, (message.resolved_at or message.now) - since(message))


def color(message: Message) -> str:
    """Green at the end, grey while all of it is held; else from red to blue by severity."""
    if message.status == "resolved":
        return "#1a7f37"
    return "#59636e" if message.held_by else _COLORS[grade(message)]


def grade(message: Message) -> Grade:
    """How bad it is, in the four words that services know."""
    return message.grade or USUAL.grade(message.severity)


_COLORS: Final[Mapping[Grade, str]] = {
    "critical": "#c8281e",
    "error": "#bc4c00",
    "warning": "#9a6700",
    "info": "#0969da",
}


def _runbook(annotations: Mapping[str, str]) -> str:
    return annotations.get("runbook_url") or annotations.get("runbook", "")
