"""A real Prometheus posts straight to Tocsin, which is restarted under it, in peace and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from programs import Program, free_port
from waiting import stays, until

from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from audience import Audience
    from programs import Tocsin

ROUTE = """\
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
"""
RULES = """\
groups:
  - name: e2e
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: info}
      - alert: LineDown
        expr: line_down == 1
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is down"}
"""
CONFIG = """\
global: {{scrape_interval: 250ms, evaluation_interval: 250ms}}
rule_files: [{folder}/rules.yml]
scrape_configs:
  - {{job_name: line, static_configs: [{{targets: ["{target}"]}}]}}
alerting:
  alertmanagers:
    - {{api_version: v2, static_configs: [{{targets: ["{tocsin}"]}}]}}
"""


class Line(HttpStandin):
    """Something that Prometheus looks at; `down` is the switch."""

    def __init__(self) -> None:
        super().__init__([web.get("/metrics", self._metrics)])
        self.down = False

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"line_down {int(self.down)}\n")


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    await line.start()
    yield line
    await line.stop()


@pytest.fixture
def make_prometheus(
    line: Line, require_peer: Callable[[str], str], tmp_path: Path
) -> Callable[[Tocsin], Program]:
    """`make_prometheus(tocsin)`: looks at the line and posts to that Tocsin; not started yet."""

    def make(tocsin: Tocsin) -> Program:
        (tmp_path / "rules.yml").write_text(RULES)
        seen, told = line.url.removeprefix("http://"), f"127.0.0.1:{tocsin.port}"
        (tmp_path / "prometheus.yml").write_text(CONFIG.format(folder=tmp_path, target=seen, tocsin=told))
        port = free_port()
        command = [require_peer("prometheus"), f"--config.file={tmp_path}/prometheus.yml"]
        command += [f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}"]
        return Program(
            tmp_path, "prometheus", [*command, "--rules.alert.resend-delay=250ms"], port, "/-/ready"
        )

    return make


async def test_what_prometheus_posts_is_one_story_across_restarts(
    audience: Audience,
    line: Line,
    serve: Callable[..., Awaitable[Tocsin]],
    start: Callable[..., Awaitable[None]],
    make_prometheus: Callable[[Tocsin], Program],
) -> None:
    tocsin = await serve(audience.config(ROUTE, glob="resolve_timeout: 3s"))
    prometheus = make_prometheus(tocsin)
    await start(prometheus)
    story = [("ring", "#1")]
    await phone_hears(audience, story)
    line.down = True
    await phone_hears(audience, story := [*story, ("ring", "#2")])
    await tocsin.stop()
    await tocsin.start()
    await tocsin.kill()
    await tocsin.start()
    await stays(lambda: nothing_more(audience, story), 4)
    line.down = False
    await phone_hears(audience, story := [*story, ("resolve", "#2")])
    line.down = True
    await phone_hears(audience, story := [*story, ("ring", "#3")])
    await prometheus.kill()
    await phone_hears(audience, story, then={("resolve", "#1"), ("resolve", "#3")})
    assert tocsin.troubles() == []
    assert (await tocsin.api("/incidents/3"))["alerts"][0]["expired"]


async def phone_hears(
    audience: Audience, story: list[tuple[str, str]], then: AbstractSet[tuple[str, str]] = frozenset()
) -> None:
    """The phone hears `story`, and `then` in any order; nobody else gets another number of things."""
    count = len(story) + len(then)
    await until(
        lambda: len(audience.on_phone()) >= count, f"{story}, {then} on the phone", audience.everything
    )
    heard = audience.on_phone()
    assert (heard[: len(story)], set(heard[len(story) :])) == (story, then)


def nothing_more(audience: Audience, story: list[tuple[str, str]]) -> None:
    """Nobody was told more than this story."""
    assert audience.on_phone() == story
    assert [("ring", number) for _, number, _, _ in audience.at_machine()] == story
    assert [("ring", number) for _, number in audience.in_mailbox()] == story
    assert [what for what, _ in audience.in_channel()] == ["post"] * len(story)
