"""Who is inhibited, asked of the real Alertmanager: random rules over random alerts, and sources that end."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import ClientSession
from alertmanagers import alertmanager
from inhibition_worlds import EQUAL, LABELS, SIDES, alert, rules_of, verdicts
from plain_inhibition import inhibits
from waiting import until

from routing.alerts import fingerprint
from routing.inhibition import Rule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from routing.inhibition import Source

pytestmark = pytest.mark.e2e

NOBODY: dict[str, Any] = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
RULE_SETS = 100


class Peer:
    """Alertmanager, whose rules and alerts are changed while it runs."""

    def __init__(self, client: ClientSession, url: str, file: Path) -> None:
        self._client, self._url, self._file = client, url, file

    async def load(self, rules: Sequence[Rule]) -> None:
        written = [
            {
                "source_matchers": list(map(str, rule.source)),
                "target_matchers": list(map(str, rule.target)),
                "equal": list(rule.equal),
            }
            for rule in rules
        ]
        self._file.write_bytes(orjson.dumps(NOBODY | {"inhibit_rules": written}))
        async with self._client.post(f"{self._url}/-/reload") as response:
            assert response.status == 200, await response.text()

    async def post(self, alerts: Sequence[Source], *, ended: bool = False) -> None:
        now = datetime.now(UTC)
        end = now if ended else now + timedelta(hours=1)
        body = [
            {
                "labels": dict(one.labels),
                "startsAt": (now - timedelta(hours=1)).isoformat(),
                "endsAt": end.isoformat(),
            }
            for one in alerts
        ]
        async with self._client.post(f"{self._url}/api/v2/alerts", json=body) as response:
            assert response.status == 200, await response.text()

    async def inhibited(self) -> dict[str, list[str]]:
        """Of each alert, by its fingerprint, the fingerprints of those that inhibit it."""
        async with self._client.get(f"{self._url}/api/v2/alerts") as response:
            return {one["fingerprint"]: one["status"]["inhibitedBy"] for one in await response.json()}


@pytest.fixture
async def peer(require_peer: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Peer]:
    program = alertmanager(
        require_peer("prometheus-alertmanager"), tmp_path, "am", orjson.dumps(NOBODY).decode()
    )
    await program.start()
    async with ClientSession() as client:
        yield Peer(client, program.url, tmp_path / "am.yml")
    await program.finish()


async def agrees(peer: Peer, rules: Sequence[Rule], alerts: Sequence[Source]) -> int:
    """Waits until both say the same of each alert; how many are inhibited. The guard is left out of it."""
    ours = verdicts(tuple(rules), alerts)
    expected = {fingerprint(one.labels): ours[one.alert] is not None for one in alerts}
    found: dict[str, list[str]] = {}

    async def same() -> bool:
        found.update(await peer.inhibited())
        return {key: bool(by) for key, by in found.items()} == expected

    await until(same, f"the same answer by {rules}", lambda: (found, expected))
    labels = {fingerprint(one.labels): one.labels for one in alerts}
    for target, sources in found.items():
        assert all(any(inhibits(r, labels[s], labels[target]) for r in rules) for s in sources)
    return sum(expected.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_rules_inhibit_the_same_alerts(peer, seed):
    chance = random.Random(seed)
    alerts = [alert(**labels) for labels in chance.sample(LABELS, 14)]
    await peer.post(alerts)
    counts = set()
    for _ in range(RULE_SETS):
        rules = [
            Rule("", chance.choice(SIDES), chance.choice(SIDES), chance.choice(EQUAL))
            for _ in range(chance.randint(1, 4))
        ]
        await peer.load(rules)
        counts.add(await agrees(peer, rules, alerts))
    assert len(counts) > 5  # not always all or none


async def test_the_end_of_one_of_two_sources_changes_nothing_and_that_of_the_last_does(peer):
    rules = rules_of('alertname="Down" > severity="warning" by instance')
    first, second, target = (
        alert(alertname="Down", instance="a", job="1"),
        alert(alertname="Down", instance="a", job="2"),
        alert(alertname="Disk", instance="a", severity="warning"),
    )
    await peer.load(rules)
    await peer.post([first, second, target])
    assert await agrees(peer, rules, [first, second, target]) == 1
    await peer.post([first], ended=True)
    assert await agrees(peer, rules, [second, target]) == 1
    await peer.post([second], ended=True)
    assert await agrees(peer, rules, [target]) == 0
