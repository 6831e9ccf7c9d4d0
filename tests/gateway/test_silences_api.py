"""`/api/v1/silences` over real HTTP, on a real store in which alerts fire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession, web
from world import HOUR, MINUTE, START, World

from config.schema import AuthConfig
from gateway.api import silence_preview, silences
from gateway.auth import Auth
from gateway.problem import problems
from gateway.store.silences import SilenceStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
route:
  receiver: hook
  group_by: [cluster]
  group_wait: 0s
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""
SCOPES = {"reader": ["read"], "dana": ["read", "respond"], "bot": ["respond"], "sender": ["ingest"]}


def at(after: int) -> str:
    return datetime.fromtimestamp((START + after) / 1_000, UTC).isoformat()


class Api:
    """The routes on a port of this machine, each caller with a token named like itself."""

    def __init__(self, world: World, client: ClientSession, port: int) -> None:
        self.world = world
        self._client = client
        self._url = f"http://127.0.0.1:{port}/api/v1/silences"

    async def __call__(
        self, method: str, path: str = "", *, who: str = "dana", **sent: Any
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {who}-secret"}
        async with self._client.request(method, self._url + path, headers=headers, **sent) as response:
            return response.status, await response.json(content_type=None)

    async def post(self, path: str = "", who: str = "dana", **body: Any) -> tuple[int, dict[str, Any]]:
        asked = {"matchers": ['alertname="A"'], "ends_at": at(HOUR), "comment": "we know"} | body
        return await self("POST", path, who=who, json=asked)

    async def fire(self, count: int = 1, **labels: str) -> None:
        await self.world.take(*(self.world.fires(f"A{n}", **labels) for n in range(count)))


@pytest.fixture
async def api(redis_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    world = await World.make(redis_server, tmp_path, CONFIG)
    tokens = [{"name": name, "token": f"{name}-secret", "scopes": scopes} for name, scopes in SCOPES.items()]
    auth = Auth(AuthConfig.model_validate({"tokens": tokens}))
    app = web.Application(middlewares=[problems])
    app.add_routes(silences.routes(world.store, SilenceStore(world.store), auth, lambda: "http://t.test"))
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as client:
        yield Api(world, client, runner.addresses[0][1])
    await runner.cleanup()
    await world.close()
    structlog.reset_defaults()


async def test_a_silence_is_made_shown_changed_and_ended(api):
    status, made = await api.post(annotations={"ticket": "7"})
    one = made["silence"]
    assert (status, made["ended"]) == (200, None)
    assert (one["state"], one["text"], one["created_by"]) == ("active", '{alertname="A"}', "dana")
    assert one["matchers"] == [{"name": "alertname", "value": "A", "isRegex": False, "isEqual": True}]
    assert (one["starts_at"], one["annotations"]) == ("2023-11-14T22:13:20.000Z", {"ticket": "7"})
    assert await api("GET", f"/{one['id']}", who="reader") == (200, one)
    _, changed = await api.post(id=one["id"], ends_at=at(2 * HOUR))
    assert changed["silence"]["id"] == one["id"]
    _, replaced = await api.post(id=one["id"], matchers=['alertname="B"'])
    assert (replaced["ended"], replaced["silence"]["state"]) == (one["id"], "active")
    status, ended = await api("DELETE", f"/{replaced['silence']['id']}")
    assert (status, ended["state"]) == (200, "expired")
    assert await api("DELETE", f"/{ended['id']}") == (200, ended)


async def test_matchers_may_be_objects_of_alertmanagers_api(api):
    given = [{"name": "a", "value": "b.*", "isRegex": True, "isEqual": False}, {"name": "c", "value": "d"}]
    _, made = await api.post(matchers=given)
    assert made["silence"]["text"] == '{a!~"b.*",c="d"}'


async def test_the_list_is_filtered_by_state_and_by_matchers_as_written(api):
    made = {}
    for name, start in (("A", 0), ("B", MINUTE), ("C", 0)):
        matchers = [f'alertname="{name}"', 'env="x"']
        made[name] = (await api.post(matchers=matchers, starts_at=at(start)))[1]["silence"]["id"]
    await api("DELETE", f"/{made['C']}")

    async def names(query: str) -> str:
        _, found = await api("GET", query, who="reader")
        assert found["total"] >= len(found["silences"])
        return "".join(one["matchers"][0]["value"] for one in found["silences"])

    assert await names("") == "AB"
    assert await names("?state=all") == "ABC"
    assert [await names(f"?state={state}") for state in ("active", "pending", "expired")] == ["A", "B", "C"]
    assert await names("?state=all&limit=2") == "AB"
    assert await names("?filter=alertname%3D%22B%22&filter=env%3Dx") == "B"
    assert await names("?filter=alertname%3D~%22B%22") == ""


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"matchers": []}, "matchers: a silence needs at least one matcher"),
        ({"matchers": ['a="b"', "c="]}, None),  # an empty value is legal
        ({"matchers": ['a="b"', "c"]}, "matchers[1]: at character 2, no operator after 'c'"),
        ({"matchers": ['a=~"("']}, "matchers[0]: at character 4, not a regular expression"),
        ({"matchers": [{"name": "a"}]}, "matchers[0]: the matcher of 'a' has no value"),
        ({"matchers": "a=b"}, "matchers: expected a list"),
        ({"matchers": ['a=""']}, "matchers: every matcher is met by alerts without the label"),
        ({"ends_at": None}, "ends_at: it is missing"),
        ({"ends_at": "tomorrow"}, "ends_at: expected a time such as"),
        ({"ends_at": 7}, "ends_at: expected a time such as"),
        ({"ends_at": at(0)}, "ends_at: it ends in the past"),
        ({"starts_at": at(HOUR)}, "ends_at: it ends before it starts"),
        ({"comment": " "}, "comment: it is missing"),
        ({"comment": "\ud800"}, "the body is not"),
        ({"created_by": 7}, "created_by: expected text"),
        ({"force": "yes"}, "force: expected true or false"),
        ({"annotations": {"a": 1}}, "annotations: expected an object whose values are text"),
        ({"startsAt": at(0)}, "startsAt: there is no such field; expected some of id, matchers"),
    ],
)
async def test_what_can_be_no_silence_is_refused_with_the_field_and_the_reason(api, body, detail):
    status, answer = await api.post(**body)
    assert status == (400 if detail else 200)
    assert (detail or "") in answer.get("detail", "")


async def test_an_unknown_id_is_404_and_a_long_body_413(api):
    for method in ("GET", "DELETE"):
        status, answer = await api(method, "/nobody")
        assert (status, "There is no silence 'nobody'" in answer["detail"]) == (404, True)
    assert (await api.post(id="nobody"))[0] == 404
    assert (await api.post(comment="x" * 5_000))[0] == 400
    status, answer = await api.post(comment="x" * 200_000)
    assert (status, answer["detail"]) == (413, "A silence may have 131072 bytes.")


async def test_reading_needs_read_writing_needs_respond_and_looking_ahead_one_of_them(api):
    assert (await api("GET", who="sender"))[0] == 403
    assert [(await api.post("/preview", who=who))[0] for who in SCOPES] == [200, 200, 200, 403]
    assert (await api.post(who="reader"))[0] == 403
    assert (await api("DELETE", "/x", who="reader"))[0] == 403


async def test_a_preview_says_which_alerts_and_incidents_would_be_hidden(api):
    await api.fire(3, cluster="eu", severity="critical")
    await api.fire(2, cluster="us")
    status, seen = await api.post("/preview", matchers=['alertname=~"A0|A1"', 'cluster="eu"'])
    assert (status, seen["firing"], seen["hidden"]) == (200, 5, 2)
    assert (seen["complete"], seen["refusal"]) == (True, None)
    assert sorted(alert["labels"]["alertname"] for alert in seen["alerts"]) == ["A0", "A1"]
    (incident,) = seen["incidents"]
    assert (incident["labels"], incident["hidden"], incident["firing"]) == ({"cluster": "eu"}, 2, 3)
    assert incident["url"].startswith("http://t.test/incidents/")
    assert (await api("GET", "?state=all"))[1]["silences"] == []


async def test_a_silence_that_any_alert_meets_is_refused_unless_it_is_forced(api):
    status, refused = await api.post(matchers=['alertname=~".+"'])
    assert status == 409
    assert 'any alert meets {alertname=~".+"}' in refused["detail"]
    assert refused["preview"]["firing"] == 0
    status, made = await api.post(matchers=['alertname=~".+"'], force=True)
    assert (status, made["hides"]) == (200, None)


async def test_a_silence_that_hides_all_of_several_alerts_is_refused_unless_it_is_forced(api):
    await api.fire(silence_preview.A_FEW - 1, cluster="eu")
    status, made = await api.post(matchers=['cluster="eu"'])
    assert (status, made["hides"]["hidden"]) == (200, 4)  # of so few alerts all may well be meant
    await api.fire(silence_preview.A_FEW, cluster="eu")
    status, refused = await api.post(matchers=['cluster="eu"'])
    assert (status, refused["preview"]["hidden"]) == (409, 5)
    assert "all 5 alerts meet" in refused["detail"]
    assert (await api.post(matchers=['cluster="eu"'], force=True))[0] == 200
    identity = made["silence"]["id"]
    assert (await api.post(matchers=['cluster="eu"'], id=identity, ends_at=at(2 * HOUR)))[0] == 200
