"""Two real Alertmanagers as a cluster, what posts to them, and the wire between them and Tocsin."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web
from programs import Program, ask, free_port
from waiting import until

from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A gossip that settles in a second instead of ten; the peer waits 1 s for the other to be done.
_CLUSTER = {
    "gossip-interval": "20ms",
    "settle-timeout": "5s",
    "pushpull-interval": "1s",
    "probe-interval": "200ms",
    "probe-timeout": "100ms",
    "reconnect-interval": "200ms",
    "peer-timeout": "1s",
}
_REPOSTED_S = 0.25


def alertmanager(program: str, folder: Path, name: str, config: str, peers: Sequence[int] = ()) -> Program:
    """One Alertmanager; `peers` are the cluster's ports, its own first; without any it stands alone."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yml"
    file.write_text(config)
    port = free_port()
    command = [program, f"--config.file={file}", f"--storage.path={folder / name}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", f"--web.external-url=http://{name}:9093"]
    if not peers:
        return Program(folder, name, [*command, "--cluster.listen-address="], port, "/-/ready")
    own, *others = (f"127.0.0.1:{peer}" for peer in peers)
    command += [f"--cluster.listen-address={own}", f"--cluster.advertise-address={own}"]
    command += [f"--cluster.peer={other}" for other in others]
    command += [f"--cluster.{flag}={value}" for flag, value in _CLUSTER.items()]
    return Program(folder, name, command, port, "/-/ready")


class Pair:
    """The Alertmanagers `a` and `b`, each sending through `Wire`s under its own name."""

    def __init__(self, program: str, folder: Path, wires: Sequence[Wire]) -> None:
        ports = [free_port(), free_port()]
        self.a = alertmanager(program, folder, "a", _config("a", wires), ports)
        self.b = alertmanager(program, folder, "b", _config("b", wires), ports[::-1])

    async def start(self) -> None:
        """Both run and know each other."""
        await asyncio.gather(self.a.start(), self.b.start())
        await until(self.settled, "the two Alertmanagers to know each other", self.a.tail)

    async def settled(self) -> bool:
        """Whether each is ready to notify and sees two."""
        return all([await _peers(one) == 2 for one in (self.a, self.b)])

    async def finish(self) -> None:
        """Both end."""
        await asyncio.gather(self.a.finish(), self.b.finish())


async def _peers(one: Program) -> int:
    status, text = await ask(f"{one.url}/api/v2/status")
    cluster = json.loads(text)["cluster"] if status == 200 else {"status": "", "peers": []}
    return len(cluster["peers"]) if cluster["status"] == "ready" else 0


def _config(name: str, wires: Sequence[Wire]) -> str:
    hooks = ", ".join(f'{{url: "{wire.url}/{name}"}}' for wire in wires)
    return f"""\
route:
  receiver: tocsin
  group_by: [cluster]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 4s
receivers:
  - name: tocsin
    webhook_configs: [{hooks}]
"""


class Wire(HttpStandin):
    """Passes webhooks on to Tocsin; can keep answers back, or hold up what one sender posts.

    Attributes:
        carried: (sender, body) of each post, in the order in which Tocsin got them.
        held: what waits to be passed on.
        statuses: what Tocsin answered.
    """

    def __init__(self, target: str) -> None:
        super().__init__([web.post("/{sender}", self._carry)])
        self.carried: list[tuple[str, dict[str, Any]]] = []
        self.held: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self._target = target
        self._gates: dict[str, asyncio.Event] = {}

    def close(self, gate: str) -> None:
        """Gate "answers": Tocsin gets the posts, the senders no answers. A sender's name: its posts wait."""
        self._gates[gate] = asyncio.Event()

    def open(self, gate: str) -> None:
        """What waits at this gate goes on, and nothing is held up there any more."""
        self._gates.pop(gate).set()

    def senders(self, since: int = 0) -> set[str]:
        """Who got through after the first `since` posts."""
        return {sender for sender, _ in self.carried[since:]}

    @property
    def last(self) -> str:
        """The status of the last body that got through."""
        return str(self.carried[-1][1]["status"]) if self.carried else ""

    async def _carry(self, request: web.Request) -> web.Response:
        sender = request.match_info["sender"]
        raw = await request.read()
        if gate := self._gates.get(sender):
            self.held.append(json.loads(raw))
            await gate.wait()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._target, data=raw, headers={"Content-Type": "application/json"}) as answer,
        ):
            text = await answer.text()
        self.statuses.append(answer.status)
        self.carried.append((sender, json.loads(raw)))
        if gate := self._gates.get("answers"):
            await gate.wait()
        return web.Response(status=answer.status, text=text)


class Rules:
    """Posts alerts as Prometheus does: to every Alertmanager, again and again, also after their end.

    An Alertmanager that does not answer is passed over.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = [f"{url}/api/v2/alerts" for url in urls]
        self._alerts: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._post_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def fire(self, name: str, **labels: str) -> None:
        """The alert begins now."""
        self._ended.pop(name, None)
        all_labels = {"alertname": name, "cluster": "eu1", "severity": "critical"} | labels
        self._alerts[name] = {
            "labels": all_labels,
            "annotations": {"summary": f"{name} is bad"},
            "startsAt": rfc3339(),
            "generatorURL": f"http://prometheus/graph?g0.expr={name}",
        }

    def end(self, name: str) -> None:
        """The alert ends now."""
        self._ended[name] = rfc3339()

    async def post(self, *names: str) -> None:
        """Posts these alerts as they are now, or all, once."""
        body = [
            alert | {"endsAt": self._ended.get(name) or rfc3339(in_s=60)}
            for name, alert in self._alerts.items()
            if not names or name in names
        ]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            await asyncio.gather(*(_post(session, url, body) for url in self._urls if body))

    async def _post_for_ever(self) -> None:
        while True:
            await self.post()
            await asyncio.sleep(_REPOSTED_S)


async def _post(session: aiohttp.ClientSession, url: str, body: list[dict[str, Any]]) -> None:
    try:
        async with session.post(url, json=body) as answer:
            await answer.read()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return


def rfc3339(in_s: float = 0) -> str:
    """Now, or some seconds later."""
    return (datetime.now(UTC) + timedelta(seconds=in_s)).isoformat(timespec="milliseconds")
