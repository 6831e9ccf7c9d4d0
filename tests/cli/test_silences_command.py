"""`tocsin silences` against a running service, in which alerts fire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import structlog
from aiohttp import ClientSession

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = "route: {receiver: nobody, group_by: [cluster], group_wait: 0s}\nreceivers: [{name: nobody}]\n"
ALERTS = [
    {"alertname": "HighLoad", "cluster": "eu", "instance": "a"},
    {"alertname": "HighLoad", "cluster": "eu", "instance": "b"},
    *({"alertname": f"Down{n}", "cluster": "us"} for n in range(3)),
]
WHY = ("--for", "2h", "--comment", "disk swap", "--author", "dana")


@pytest.fixture
async def running(redis_server: str, tmp_path: Path) -> AsyncIterator[str]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await service.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.port}"
    async with ClientSession() as client:
        body = [{"labels": labels} for labels in ALERTS]
        async with client.post(f"{url}/api/v2/alerts", json=body) as response:
            assert response.status == 200
    yield url
    await service.stop()
    structlog.reset_defaults()


@pytest.fixture
def silences(running, tocsin):
    async def run(*args: str):
        return await tocsin("silences", *args, TOCSIN_SERVER=running, USER="kim")

    return run


async def test_a_silence_is_added_after_saying_what_it_hides_and_its_id_is_all_that_stdout_has(silences):
    added = await silences("add", "alertname=HighLoad", 'instance=~"a|x"', *WHY)
    assert added.code == 0
    assert added.err.splitlines()[0] == "It hides 1 of the 5 alerts that fire now."
    assert "  - alertname=HighLoad cluster=eu instance=a" in added.err
    assert added.err.splitlines()[-1].startswith("Silenced until 20")
    identity = added.out.strip()
    shown = await silences("show", identity, "-o", "json")
    document = json.loads(shown.out)
    assert (document["id"], document["state"], document["created_by"]) == (identity, "active", "dana")
    assert document["text"] == '{alertname="HighLoad",instance=~"a|x"}'
    assert "disk swap" in (await silences("show", identity)).out


async def test_what_would_hide_everything_is_not_made_unless_forced(silences):
    for matcher, why in (('cluster!="x"', "any alert meets"), ('cluster=~"eu|us"', "all 5 alerts meet")):
        refused = await silences("add", matcher, *WHY)
        assert (refused.code, refused.out) == (1, "")
        assert why in refused.err
        assert "--force" in refused.err
    assert "No active or pending silences." in (await silences("list")).err
    forced = await silences("add", 'cluster!="x"', *WHY, "--force", "--yes", "-o", "json")
    assert (forced.code, json.loads(forced.out)["silence"]["state"]) == (0, "active")


async def test_a_dry_run_makes_nothing(silences):
    ended = await silences("add", "alertname=HighLoad", *WHY, "--dry-run", "-o", "json")
    assert (ended.code, json.loads(ended.out)["hidden"]) == (0, 2)
    ended = await silences("add", 'cluster!="x"', *WHY, "--dry-run")
    assert (ended.code, ended.out) == (1, "")
    assert json.loads((await silences("list", "--state", "all", "-o", "json")).out)["silences"] == []


async def test_silences_are_listed_by_state_and_matchers_and_expired_by_id(silences):
    span = ("--start", "2999-01-01T00:00Z", "--until", "2999-01-01T01:00+00:00", "-c", "a plan")
    later = (await silences("add", '{"clu ster"="x",b=c}', *span)).out.strip()
    now = (await silences("add", "alertname=HighLoad", *WHY)).out.strip()
    rows = (await silences("list")).out.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [[now, "active"], [later, "pending"]]
    assert "dana" in rows[1]
    assert "kim" in rows[2]
    assert later not in (await silences("list", "alertname=HighLoad")).out
    ended = await silences("expire", now, "nobody")
    assert (ended.code, ended.out) == (1, f"{now}: expired\n")
    assert "nobody: Not Found" in ended.err
    assert (await silences("expire", now)).code == 0
    (_, row) = (await silences("list", "--state", "expired")).out.splitlines()
    assert row.split()[:3] == [now, "expired", "ended"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("a",), "'a' at character 2: no operator after 'a'"),
        (("a=b", 'clu ster="x"'), "'clu ster=\"x\"' at character 5: "),
        (('a=~"("',), "at character 4: not a regular expression"),
        (("",), "a silence needs at least one matcher"),
        (('a=""',), "every matcher is met by alerts without the label"),
        (("a=b", "--for", "2"), "a number without a unit"),
        (("a=b", "--for", "0s"), "longer than 0s"),
        (("a=b", "--until", "18:00"), "'18:00' is no time; expected a time with its zone"),
        (("a=b", "--until", "2999-01-01T00:00"), "has no zone"),
        (("a=b", "--for", "1h", "--until", "2999-01-01T00:00Z"), "give one of them, not both or none"),
        (("a=b", "--for", ""), "give one of them, not both or none"),
    ],
)
def test_what_is_typed_wrongly_is_used_wrongly(here, args, message):
    span = () if "--for" in args or "--until" in args else ("--for", "1h")
    ended = here("silences", "add", *args, *span, "-c", "why")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
