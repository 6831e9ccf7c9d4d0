"""One file for a real Alertmanager and Tocsin, and a minute of quiet: what both post, and what only we post.

Time intervals are as fine as minutes, so this takes two of them.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from alertmanagers import alertmanager, rfc3339
from programs import Tocsin, ask
from waiting import until

from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from programs import Program

CONFIG = """\
route:
  receiver: hook
  routes:
    - matchers: [cluster=~".+"]
      group_by: [cluster]
      group_wait: 0s
      group_interval: 1s
      mute_time_intervals: [now]
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}"}}]
time_intervals:
  - name: now
    time_intervals: [{{times: [{{start_time: "{start}", end_time: "{end}"}}]}}]
"""
Body = tuple[str, str, str]  # cluster, who fires, who has ended


class Ears(HttpStandin):
    """Hears what both post, each at a path of its own."""

    def __init__(self) -> None:
        super().__init__([web.post("/{who}", self._take)])
        self.heard: dict[str, list[Body]] = {"alertmanager": [], "tocsin": []}

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        names: dict[str, list[str]] = {"firing": [], "resolved": []}
        for alert in body["alerts"]:
            names[alert["status"]].append(alert["labels"]["alertname"])
        firing, ended = ("".join(sorted(names[status])) for status in ("firing", "resolved"))
        heard: Body = (body["groupLabels"]["cluster"], firing, ended)
        self.heard[request.match_info["who"]].append(heard)
        return web.Response()

    def of(self, who: str, cluster: str) -> list[tuple[str, str]]:
        """(who fires, who has ended) of each post about a cluster."""
        return [(firing, ended) for where, firing, ended in self.heard[who] if where == cluster]


def minute(at: float) -> str:
    return time.strftime("%H:%M", time.gmtime(at)) if at % 86_400 else "24:00"


async def wait_for(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))


@pytest.mark.long
async def test_what_is_quiet_is_told_when_it_is_over_and_only_we_tell_the_ends(
    stack: AsyncExitStack, require_peer: Callable[[str], str], tmp_path: Path
) -> None:
    ears = Ears()
    await ears.start()
    stack.push_async_callback(ears.stop)
    begins = (time.time() + 10) // 60 * 60 + 60
    times = {"start": minute(begins), "end": minute(begins + 60)}
    theirs = CONFIG.format(url=f"{ears.url}/alertmanager", **times)
    ours = Tocsin(tmp_path / "ours", CONFIG.format(url=f"{ears.url}/tocsin", **times))
    both: list[Program] = [
        alertmanager(require_peer("prometheus-alertmanager"), tmp_path / "theirs", "alone", theirs),
        ours,
    ]
    for program in both:
        stack.push_async_callback(program.finish)
        await program.start()

    started: dict[str, str] = {}

    async def post(name: str, cluster: str, *, ends: bool = False) -> None:
        alert: dict[str, Any] = {"labels": {"alertname": name, "cluster": cluster}}
        alert["startsAt"] = started.setdefault(name, rfc3339())
        alert["endsAt"] = rfc3339() if ends else rfc3339(in_s=600)
        for program in both:
            assert (await ask(f"{program.url}/api/v2/alerts", "POST", json=[alert]))[0] == 200

    await post("A", "eu")
    await until(lambda: all(ears.heard.values()), "both to tell of A", lambda: ears.heard)
    await wait_for(begins + 2)
    for name, cluster in (("B", "eu"), ("C", "us"), ("D", "asia")):
        await post(name, cluster)
    await asyncio.sleep(3)
    await post("A", "eu", ends=True)
    await post("D", "asia", ends=True)
    await until(lambda: len(ears.heard["tocsin"]) > 1, "Tocsin to tell of the end", lambda: ears.heard)
    await wait_for(begins + 58)
    assert ears.heard["alertmanager"] == [("eu", "A", "")]
    assert ears.heard["tocsin"] == [("eu", "A", ""), ("eu", "B", "A")]

    await wait_for(begins + 60)
    await until(lambda: ears.of("tocsin", "us") and ears.of("alertmanager", "us"), "C", lambda: ears.heard)
    await until(lambda: len(ears.of("tocsin", "eu")) > 2, "B to be heard", lambda: ears.heard)
    await asyncio.sleep(3)
    assert ears.of("alertmanager", "us") == ears.of("tocsin", "us") == [("C", "")]
    assert ears.of("alertmanager", "asia") == ears.of("tocsin", "asia") == []
    assert ears.of("alertmanager", "eu") == [("A", ""), ("B", "")]
    assert ears.of("tocsin", "eu") == [("A", ""), ("B", "A"), ("B", "")]
    assert 'mute interval \\"now\\"' in json.dumps(await ours.api("/activity"))
