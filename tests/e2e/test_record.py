"""`tocsin record` with a real service of several processes, and with a real Prometheus."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from programs import Program, ask, free_port, tocsin_command
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from programs import Tocsin

NOBODY = """\
route: {receiver: nobody, group_by: [alertname], group_wait: 0s}
receivers: [{name: nobody}]
"""
RULES = """\
groups:
  - name: e2e
    rules:
      - {alert: Watchdog, expr: vector(1), labels: {severity: info}}
      - {alert: Late, expr: vector(1), for: 1h}
"""
PROMETHEUS = """\
global: {{evaluation_interval: 250ms}}
rule_files: [{folder}/rules.yml]
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_a_service_of_two_processes_is_recorded_as_one(
    serve: Callable[..., Awaitable[Tocsin]],
) -> None:
    tocsin = await serve(NOBODY, "--workers", "2")
    recording = asyncio.create_task(tocsin_command("record", "--for", "3s", server=tocsin))
    await until(lambda: hears(tocsin, 2), "both processes to be heard", tocsin.tail)
    for number in range(20):  # each by a connection of its own, so that both take some
        body = [{"labels": {"alertname": f"A{number}", "team": "db"}}]
        assert (await ask(f"{tocsin.url}/api/v2/alerts", "POST", json=body))[0] == 200
    ended = await recording
    assert (ended.code, ended.err) == (0, "Recorded 20 alerts in 20 arrivals.\n")
    assert [line["labels"]["alertname"] for line in lines(ended.out)] == [f"A{n}" for n in range(20)]


def hears(tocsin: Tocsin, count: int) -> bool:
    """Whether so many processes are listened to."""
    return sum(event["event"] == "arrivals.listening" for event in tocsin.events()) >= count


async def test_what_a_prometheus_remembers_becomes_a_recording(
    start: Callable[..., Awaitable[None]], require_peer: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(folder=tmp_path))
    port = free_port()
    command = [require_peer("prometheus"), f"--config.file={tmp_path}/prometheus.yml"]
    command += [f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}"]
    prometheus = Program(tmp_path, "prometheus", command, port, "/-/ready")
    await start(prometheus)
    asked = ("record", "--prometheus", prometheus.url, "--since", "1h", "--step", "1s")

    async def remembered() -> bool:
        return bool((await tocsin_command(*asked)).out)

    await until(remembered, "an alert to have fired", prometheus.tail)
    ended = await tocsin_command(*asked)
    assert (ended.code, ended.err) == (0, "Recorded 1 alert in 1 arrival.\n")
    (line,) = lines(ended.out)
    assert (line["status"], line["labels"]) == ("firing", {"alertname": "Watchdog", "severity": "info"})
    nothing = await tocsin_command("record", "--prometheus", f"http://127.0.0.1:{free_port()}")
    assert nothing.code == 1
    assert nothing.err.startswith("Error: no Prometheus answers at ")
