"""Groups too fine or too coarse for whoever is woken by them, and timers that do not work together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.values import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import PlacedRoute, Subject
    from config.problems import Path

FINE: Final = frozenset(
    {
        *(
            "instance",
            "pod",
            "pod_name",
            "container",
            "container_id",
            "host",
            "hostname",
            "node",
            "ip",
            "pid",
        ),
        *("id", "uid", "uuid", "request_id", "trace_id", "span_id", "path", "url", "uri", "user", "user_id"),
        *("device", "mountpoint", "interface", "replica", "shard", "partition"),
    }
)

EXPLODES: Final = Code(
    "TOC401",
    "group-by-explodes",
    "warning",
    "Groups as small as machines, where each group pages",
    found="A route that pages (with a policy, or through PagerDuty) and groups by `...`, which is all "
    "labels, or by a label that has another value for each machine, such as `instance` or `pod`.",
    bad="Each group is an incident of its own. When a rack fails, the phone rings once for each machine "
    "in it, and each has to be acknowledged.",
    example=Example("""\
        route:
          receiver: pager
          group_by: [alertname, instance]
        receivers:
          - name: pager
            pagerduty_configs: [{routing_key: '${PAGERDUTY_KEY}'}]
        """),
    instead=Example("""\
        route:
          receiver: pager
          group_by: [alertname, cluster]
        receivers:
          - name: pager
            pagerduty_configs: [{routing_key: '${PAGERDUTY_KEY}'}]
        """),
)


def _explodes(subject: Subject) -> Iterator[Finding]:
    for route in dict.fromkeys(_grouping(subject, one) for one in subject.routes if _pages(subject, one)):
        fine = sorted((route.route.group_by or frozenset()) & FINE)
        if route.route.group_by is not None and not fine:
            continue
        what = "all labels" if route.route.group_by is None else " and ".join(fine)
        yield subject.finding(
            EXPLODES,
            subject.under(route.path, "group_by"),
            f"grouped by {what}, what fails together pages once for each machine or the like",
            "Group by what one person would deal with at once, such as alertname and cluster.",
        )


def _grouping(subject: Subject, route: PlacedRoute) -> PlacedRoute:
    """The route that says how this one groups: itself, or the nearest above that does."""
    saying = (one for one in reversed(route.lineage) if _says(subject, one, "group_by"))
    return next(saying, route.lineage[0])


ALL_IN_ONE: Final = Code(
    "TOC402",
    "group-by-nothing",
    "warning",
    "All alerts in one incident, where it pages",
    found="A route that pages (with a policy, or through PagerDuty) without `group_by`, so that all of "
    "its alerts, whatever they are about, are one group.",
    bad="While one incident is open, the next failure joins it: who has acknowledged the first is not "
    "rung for the second, and the incident ends when the last of all alerts does.",
    example=Example("""\
        route:
          receiver: pager
        receivers:
          - name: pager
            pagerduty_configs: [{routing_key: '${PAGERDUTY_KEY}'}]
        """),
    instead=Example("""\
        route:
          receiver: pager
          group_by: [alertname, cluster]
        receivers:
          - name: pager
            pagerduty_configs: [{routing_key: '${PAGERDUTY_KEY}'}]
        """),
)


def _all_in_one(subject: Subject) -> Iterator[Finding]:
    mixing: dict[PlacedRoute, list[PlacedRoute]] = {}
    for route in subject.routes:
        grouped = route.route.group_by is None or bool(route.route.group_by)
        if grouped or not _pages(subject, route) or subject.reach.told(route).never:
            continue
        if any(matcher.name == "alertname" and matcher.op == "=" for matcher in route.conditions):
            continue  # the group is of one kind already
        mixing.setdefault(_grouping(subject, route), []).append(route)
    for grouping, routes in mixing.items():
        others = f", and so with {len(routes) - 1} more" if len(routes) > 1 else ""
        yield subject.finding(
            ALL_IN_ONE,
            subject.under(grouping.path, "group_by"),
            f"without group_by all alerts of the route in line {subject.line(routes[0].path)}, whatever they"
            f" are about, are one incident{others}",
            "Group by what one person would deal with at once, such as group_by: [alertname, cluster].",
        )


REPEAT: Final = Code(
    "TOC403",
    "repeat-shorter-than-interval",
    "warning",
    "A repeat_interval that is shorter than the group_interval",
    found="A route whose `repeat_interval` is shorter than its `group_interval`.",
    bad="Whether to repeat is asked once in each `group_interval`. The repeats come as slowly as that, "
    "not as `repeat_interval` says.",
    example=Example("""\
        route:
          receiver: default
          repeat_interval: 1m
        """),
    instead=Example("""\
        route:
          receiver: default
          group_interval: 30s
          repeat_interval: 1m
        """),
)


def _repeat(subject: Subject) -> Iterator[Finding]:
    for route in subject.routes:
        timers = route.route
        if route.route.policy or timers.repeat_interval >= timers.group_interval:
            continue
        if key := _said(subject, route, "repeat_interval", "group_interval"):
            yield subject.finding(
                REPEAT,
                key,
                f"repeat_interval ({show_duration(timers.repeat_interval)}) is shorter than group_interval"
                f" ({show_duration(timers.group_interval)}), once in which it is asked",
                "Shorten group_interval, or lengthen repeat_interval to a multiple of it.",
            )


WAIT: Final = Code(
    "TOC404",
    "wait-longer-than-interval",
    "warning",
    "A group_wait that is longer than the group_interval",
    found="A route whose `group_wait` is longer than its `group_interval`.",
    bad="The first message of a group waits longer than any later one. It is the first that is urgent.",
    example=Example("""\
        route:
          receiver: default
          group_wait: 10m
        """),
    instead=Example("""\
        route:
          receiver: default
          group_wait: 30s
        """),
)


def _wait(subject: Subject) -> Iterator[Finding]:
    for route in subject.routes:
        timers = route.route
        if timers.group_wait <= timers.group_interval:
            continue
        if key := _said(subject, route, "group_wait", "group_interval"):
            yield subject.finding(
                WAIT,
                key,
                f"group_wait ({show_duration(timers.group_wait)}) is longer than group_interval"
                f" ({show_duration(timers.group_interval)}): the first message waits longest",
                "Shorten group_wait.",
            )


UNUSED_REPEAT: Final = Code(
    "TOC405",
    "repeat-with-policy",
    "info",
    "A repeat_interval where a policy is followed",
    found="A route with both `policy` and `repeat_interval`.",
    bad="With a policy nothing is repeated: its steps say who is told when. The timer has no effect "
    "here, only in routes below that have a receiver.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
              group_by: [alertname]
              repeat_interval: 1h
        escalation_policies:
          - name: page
            steps: [{notify: [{receiver: pager}]}]
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
              group_by: [alertname]
        escalation_policies:
          - name: page
            steps:
              - notify: [{receiver: pager}]
              - {after: 1h, notify: [{receiver: pager}]}
        """),
)


def _unused_repeat(subject: Subject) -> Iterator[Finding]:
    for route in subject.routes:
        if route.section.policy and _says(subject, route, "repeat_interval"):
            yield subject.finding(
                UNUSED_REPEAT,
                (*route.path, "repeat_interval"),
                "repeat_interval has no effect where a policy is followed",
                "Write what should ring again as a step of the policy.",
                key=True,
            )


def _says(subject: Subject, route: PlacedRoute, key: str) -> bool:
    return key in subject.document.at(route.path).entries


def _said(subject: Subject, route: PlacedRoute, *keys: str) -> Path | None:
    """Where the route itself says one of the keys; None if both come from above, where it is said already."""
    return next(((*route.path, key) for key in keys if _says(subject, route, key)), None)


def _pages(subject: Subject, route: PlacedRoute) -> bool:
    """Whether the route itself rings somebody's phone."""
    integrations = subject.plan.receivers.get(route.route.receiver, ())
    return bool(route.route.policy) or any(one.kind == "pagerduty" for one in integrations)


CHECKS: Final = (
    Check(EXPLODES, _explodes),
    Check(ALL_IN_ONE, _all_in_one),
    Check(REPEAT, _repeat),
    Check(WAIT, _wait),
    Check(UNUSED_REPEAT, _unused_repeat),
)
