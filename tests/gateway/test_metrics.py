"""The metrics, in one process and added up over several."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

WORKER = """
from gateway import metrics
metrics.announce("1.2.3")
metrics.ingest_alerts.labels("accepted").inc(5)
metrics.deliveries_waiting.labels("open").set(7)
metrics.config_ok.set(CONFIG_OK)
metrics.deadline_lateness.labels("group").observe(0.003)"""


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def ask(code: str, **environment: str) -> bytes:
    """What a process of its own prints after `code`: the metrics are a program's, not a test's."""
    code += "; import sys; sys.stdout.buffer.write(metrics.render())"
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True
    ).stdout


def test_every_metric_is_ours_or_the_process_own_and_begins_at_zero():
    text = ask("from gateway import metrics; metrics.announce('1.2.3')")
    names = re.findall(r"^# TYPE (\S+)", text.decode(), re.MULTILINE)
    assert len([name for name in names if name.startswith("tocsin_")]) >= 15
    assert b"_created" not in text
    assert all(name.startswith(("tocsin_", "process_", "python_")) for name in names)
    found = samples(text)
    assert found["tocsin_build_info", platform.python_version(), "1.2.3"] == 1
    for result in ("accepted", "repeated", "suspect", "recorded", "invalid"):
        assert found["tocsin_ingest_alerts_total", result] == 0
    for by in ("silence", "inhibition", "release", "grace"):
        assert found["tocsin_alerts_held_total", by] == 0


def test_workers_are_added_up_and_what_describes_the_whole_is_not(tmp_path):
    for ok in ("1", "0"):
        ask(WORKER.replace("CONFIG_OK", ok), PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    found = samples(ask("from gateway import metrics", PROMETHEUS_MULTIPROC_DIR=str(tmp_path)))
    assert found["tocsin_ingest_alerts_total", "accepted"] == 10
    assert found["tocsin_deadline_lateness_seconds_count", "group"] == 2
    assert found["tocsin_deliveries_waiting", "open"] == 7
    assert found["tocsin_config_last_reload_successful",] == 0
