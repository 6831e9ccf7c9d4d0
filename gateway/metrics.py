"""What Tocsin counts and measures of itself, for `/metrics`.

Use the objects as they are: `metrics.ingest_alerts.labels("repeated").inc()`. Labels have few, fixed values:
never a route, an incident or anything that came from outside. Times are seconds, as Prometheus wants them.

With several worker processes each of them writes into the directory `PROMETHEUS_MULTIPROC_DIR`, which must be
empty at the start and set before this module is imported; `render` then adds them up, whichever is asked.
"""

from __future__ import annotations

import os
import platform
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

from receivers import kinds

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

_FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SLOW: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

ingest_requests: Final = Counter(
    "tocsin_ingest_requests", "Requests that brought alerts, by answer.", ["endpoint", "status"]
)
ingest_alerts: Final = Counter(
    "tocsin_ingest_alerts",
    "Alerts taken in: accepted (changed something), repeated, suspect (a late copy, perhaps), "
    "recorded (an end of something unknown or older), invalid.",
    ["result"],
)
ingest_bytes: Final = Counter("tocsin_ingest_bytes", "Bytes of the bodies of these requests, unpacked.")
ingest_duration: Final = Histogram(
    "tocsin_ingest_duration_seconds", "From a request's body being read to it being durable.", buckets=_FAST
)
deadline_lateness: Final = Histogram(
    "tocsin_deadline_lateness_seconds", "How late something that was due was begun.", ["what"], buckets=_FAST
)
decisions: Final = Counter(
    "tocsin_decisions",
    "Decisions about groups: committed, again (the group changed meanwhile), failed (a bug; see the log).",
    ["result"],
)
deliveries: Final = Counter(
    "tocsin_deliveries",
    "Attempts to tell somebody: sent, retry (it may work later), refused (it never will), dropped, dead, "
    "held (it waits: a silence, an inhibition or an interval came first).",
    ["kind", "outcome"],
)
delivery_duration: Final = Histogram(
    "tocsin_delivery_duration_seconds", "How long an attempt took.", ["kind"], buckets=_SLOW
)
deliveries_waiting: Final = Gauge(
    "tocsin_deliveries_waiting",
    "Deliveries that are open (something is still to be sent) or dead (given up).",
    ["state"],
    multiprocess_mode="mostrecent",
)
oldest_unsent: Final = Gauge(
    "tocsin_oldest_unsent_seconds",
    "For how long the oldest open delivery has had something to say.",
    multiprocess_mode="mostrecent",
)
alerts_held: Final = Counter(
    "tocsin_alerts_held",
    "Alerts that began to be held back, by what: silence, inhibition, release (the source has ended), "
    "grace (there may be a source soon).",
    ["by"],
)
alerts_guarded: Final = Counter(
    "tocsin_alerts_guarded", "Alerts told although they are inhibited: in a circle, all would be silent."
)
incidents_suppressed: Final = Counter(
    "tocsin_incidents_suppressed",
    "Incidents that came to a time in which nobody is told: held (every alert is), interval (of the route).",
    ["reason"],
)
weighings: Final = Counter(
    "tocsin_weighings",
    "Judgements of what holds a group's alerts: written, again (news came in between), given_up (too often: "
    "it counts, and the group is judged again), "
    "failed (a bug; see the log). What is not judged is told.",
    ["result"],
)
weigh_duration: Final = Histogram(
    "tocsin_weigh_duration_seconds", "How long it took to judge a group and to write it down.", buckets=_FAST
)
silences: Final = Gauge(
    "tocsin_silences",
    "Silences that are kept: active, pending, expired.",
    ["state"],
    multiprocess_mode="mostrecent",
)
slack_connections: Final = Gauge(
    "tocsin_slack_connections",
    "Connections to Slack that are open for Socket Mode.",
    multiprocess_mode="livesum",
)
calendars: Final = Gauge(
    "tocsin_calendars",
    "Calendars that schedules name: read, failing (the last good copy counts, if there is one).",
    ["state"],
    multiprocess_mode="mostrecent",
)
calendar_age: Final = Gauge(
    "tocsin_calendars_oldest_seconds",
    "How long ago the calendar that has not been read for the longest time was read.",
    multiprocess_mode="mostrecent",
)
calendar_reads: Final = Counter(
    "tocsin_calendar_reads", "Tries to read a calendar: read, failed (see the log).", ["result"]
)
shift_notices: Final = Counter(
    "tocsin_shift_notices", "Notices of shifts to people: sent, failed (see the log).", ["result"]
)
inhibition_sources: Final = Gauge(
    "tocsin_inhibition_sources",
    "Firing alerts that can inhibit others.",
    multiprocess_mode="mostrecent",
)
heartbeats: Final = Gauge(
    "tocsin_heartbeats",
    "Heartbeats that are configured: alive, waiting (for the first beat), missing.",
    ["state"],
    multiprocess_mode="mostrecent",
)
heartbeats_heard: Final = Counter(
    "tocsin_heartbeats_heard", "Beats that came, by way: alert, http (a request of its own).", ["via"]
)
heartbeat_alerts: Final = Counter(
    "tocsin_heartbeat_alerts",
    "Alerts that a heartbeat's matchers met, so that they were not routed: firing (a beat), resolved.",
    ["status"],
)
beats_sent: Final = Counter(
    "tocsin_beats",
    "Beats to others: sent, failed, withheld (nothing was sent, because Tocsin does not work).",
    ["outcome"],
)
store_call_duration: Final = Histogram(
    "tocsin_store_call_duration_seconds", "How long a call to Redis took.", ["script"], buckets=_FAST
)
store_errors: Final = Counter("tocsin_store_errors", "Calls to Redis that failed.", ["script"])
leases_lost: Final = Counter("tocsin_leases_lost", "Work given up because another process had claimed it.")
sweep_repaired: Final = Counter(
    "tocsin_sweep_repaired", "Deadlines that the sweep found missing and made anew."
)
answers: Final = Counter(
    "tocsin_answers",
    "What people said to incidents: what, from where, and whether it changed anything.",
    ["answer", "via", "changed"],
)
sweep_last: Final = Gauge(
    "tocsin_sweep_last_timestamp_seconds",
    "When the last complete sweep ended.",
    multiprocess_mode="mostrecent",
)
config_ok: Final = Gauge(
    "tocsin_config_last_reload_successful",
    "1 if the configuration was last read without an error, else 0 (and the one before is in force).",
    multiprocess_mode="min",
)
config_loaded: Final = Gauge(
    "tocsin_config_last_reload_success_timestamp_seconds",
    "When the configuration in force was read.",
    multiprocess_mode="min",
)
pagerduty_events: Final = Counter(
    "tocsin_pagerduty_events",
    "What PagerDuty sent, by what became of it: kept, known, stale, full, ignored or refused when it came; "
    "answered, without_incident or given_up when it had been worked on.",
    ["result"],
)
build_info: Final = Gauge(
    "tocsin_build_info", "1, with the versions.", ["version", "python"], multiprocess_mode="max"
)


def announce(version: str) -> None:
    """Say which build this is, and let every series begin at 0, so that a first increase is seen as one."""
    # Without the second series for each counter, of which nobody asks anything.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream has no types here
    build_info.labels(version, platform.python_version()).set(1)
    for result in ("accepted", "repeated", "suspect", "recorded", "invalid"):
        ingest_alerts.labels(result)
    for result in ("committed", "again", "failed"):
        decisions.labels(result)
    for kind in kinds.MODULES:
        delivery_duration.labels(kind)
        for outcome in ("sent", "retry", "refused", "dropped", "dead", "held"):
            deliveries.labels(kind, outcome)
    for result in ("read", "failed"):
        calendar_reads.labels(result)
    for result in ("sent", "failed"):
        shift_notices.labels(result)
    for by in ("silence", "inhibition", "release", "grace"):
        alerts_held.labels(by)
    for reason in ("held", "interval"):
        incidents_suppressed.labels(reason)
    for result in ("written", "again", "given_up", "failed"):
        weighings.labels(result)
    for result in ("kept", "known", "stale", "full", "ignored", "refused"):
        pagerduty_events.labels(result)
    for result in ("answered", "without_incident", "given_up"):
        pagerduty_events.labels(result)
    for what in ("group", "delivery"):
        deadline_lateness.labels(what)
    for way in ("alert", "http"):
        heartbeats_heard.labels(way)
    for status in ("firing", "resolved"):
        heartbeat_alerts.labels(status)
    for outcome in ("sent", "failed", "withheld"):
        beats_sent.labels(outcome)


def render() -> bytes:
    """All metrics in Prometheus' text form (`CONTENT_TYPE`), of all workers if there are several."""
    if DIRECTORY_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # upstream has no types here
    return generate_latest(registry)


def forget(pid: int) -> None:
    """A worker has ended: what it counted is kept, what it only measured of itself is not."""
    if DIRECTORY_VARIABLE in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # upstream has no types here
