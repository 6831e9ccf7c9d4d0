"""Who is on call, over real HTTP on a real store: questions, overrides, calendars to subscribe to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
import structlog
from aiohttp import ClientSession, web
from world import HOUR, START, World

from config.schema import AuthConfig
from gateway.api import feeds, oncall, overrides
from gateway.auth import Auth
from gateway.feeds import Feeds
from gateway.links import Links
from gateway.oncall import OnCall
from gateway.problem import problems

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

DAY = 24 * HOUR
# The world starts on 2023-11-14 22:13:20 UTC, a Tuesday.
CONFIG = """
route: {receiver: hook}
receivers: [{name: hook, webhook_configs: [{url: "http://hook.test/"}]}]
users: [{name: dana, email: d@x.y}, {name: eli, email: e@x.y}, {name: fay, email: f@x.y}]
schedules:
  - name: day
    time_zone: Europe/Berlin
    layers: [{name: turns, people: [dana, eli], every: daily, start: 2023-11-01 09:00}]
  - name: a/b.c
    layers:
      - people: [fay]
        restrictions: [{weekdays: ["monday:friday"], start_time: 09:00, end_time: 17:00}]
      - ical_file: gone.ics
    overrides: [{start: 2023-11-20, end: 2023-11-21, people: dana}]
auth: {link_secret: "%s"}
"""
SCOPES = {"reader": ["read"], "dana": ["read", "respond"], "bot": ["respond", "read"], "sender": ["ingest"]}


def at(after: int) -> str:
    moment = datetime.fromtimestamp((START + after) / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Api:
    def __init__(self, world: World, client: ClientSession, url: str, on_call: OnCall) -> None:
        self.world = world
        self.url = url
        self.on_call = on_call
        self._client = client

    async def __call__(self, method: str, path: str, *, who: str = "dana", **sent: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {who}-secret"} if who else {}
        async with self._client.request(
            method, f"{self.url}/api/v1{path}", headers=headers, **sent
        ) as answer:
            if answer.content_type == "text/calendar":
                return answer.status, await answer.text()
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, who: str = "reader", **query: str) -> Any:
        status, body = await self("GET", path, who=who, params=query)
        assert status == 200, body
        return body

    async def override(self, who: str = "dana", **body: Any) -> tuple[int, Any]:
        asked = {"schedule": "day", "people": ["fay"], "for": "2h"} | body
        return await self(
            "POST", "/overrides", who=who, json={k: v for k, v in asked.items() if v is not None}
        )

    async def on_duty(self, **query: str) -> list[str]:
        return (await self.get("/oncall", **query))["schedules"][0]["people"]

    async def secret(self, text: str) -> None:
        self.world.path.write_text(CONFIG % text)
        await self.world.plan.reload()


@pytest.fixture
async def api(redis_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    world = await World.make(redis_server, tmp_path, CONFIG % ("0" * 32))
    tokens = [{"name": name, "token": f"{name}-secret", "scopes": scopes} for name, scopes in SCOPES.items()]
    auth = Auth(AuthConfig.model_validate({"tokens": tokens}))
    on_call = OnCall(world.store, world.plan)
    await on_call.keep_up()
    links = Links(world.store, lambda: world.plan.last.config)
    app = web.Application(middlewares=[problems])
    app.add_routes(oncall.routes(on_call, world.plan, world.store, auth))
    app.add_routes(overrides.routes(on_call, world.plan, world.store, auth))
    app.add_routes(
        feeds.routes(Feeds(links, on_call), world.plan, world.store, auth, lambda: "http://t.test")
    )
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as client:
        yield Api(world, client, f"http://127.0.0.1:{runner.addresses[0][1]}", on_call)
    await world.close()
    await runner.cleanup()
    structlog.reset_defaults()


# --- questions -----------------------------------------------------------------------------------------


async def test_it_says_who_is_on_call_until_when_and_who_is_next(api):
    day, other = (await api.get("/oncall"))["schedules"]
    assert day == {
        "schedule": "day",
        "time_zone": "Europe/Berlin",
        "people": ["eli"],
        "until": "2023-11-15T08:00:00.000Z",
        "next": {"start": "2023-11-15T08:00:00.000Z", "people": ["dana"]},
        "warnings": [],
    }
    assert (other["people"], other["next"]["people"]) == ([], ["fay"])
    assert other["warnings"][0].endswith("gone.ics has not been read yet, so its layer is empty")


@pytest.mark.parametrize(
    ("moment", "people"),
    [
        ("2023-11-15T08:00Z", ["dana"]),
        ("2023-11-15 08:59", ["eli"]),
        ("2023-11-15 09:00", ["dana"]),
        ("2023-11-15T09:00+02:00", ["eli"]),
        ("+1d", ["dana"]),
    ],
)
async def test_a_moment_without_a_zone_is_by_the_clock_of_the_schedule(api, moment, people):
    assert await api.on_duty(at=moment) == people


async def test_shifts_come_with_the_gaps_between_them(api):
    found = await api.get("/schedules/a%2Fb.c/shifts", **{"from": "2023-11-17", "to": "2023-11-22"})
    assert [(one["start"][5:16], "".join(one["people"])) for one in found["shifts"]] == [
        ("11-17T00:00", ""),
        ("11-17T09:00", "fay"),
        ("11-17T17:00", ""),
        ("11-20T00:00", "dana"),
        ("11-21T00:00", ""),
        ("11-21T09:00", "fay"),
        ("11-21T17:00", ""),
    ]
    own = await api.get("/schedules/day/shifts", person="dana", to="+2d")
    assert [one["start"] for one in own["shifts"]] == ["2023-11-15T08:00:00.000Z"]


async def test_a_report_spreads_hours_over_people(api):
    found = (await api.get("/oncall/report", schedule="day", **{"from": "2023-11-13", "to": "2023-11-20"}))[
        "people"
    ]
    assert {one["person"]: (one["hours"], one["shifts"], one["weekends"]) for one in found} == {
        "dana": (87.0, 4, 1),
        "eli": (81.0, 4, 1),
    }
    assert [one["pages"] for one in found] == [0, 0]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/oncall", {"at": "monday"}, "at: 'monday' is no time; expected a time such as 2026-12-24T18:00Z"),
        ("/oncall", {"at": "+1y2"}, "is no time"),
        (
            "/schedules/day/shifts",
            {"to": "2023-01-01"},
            "from, to: it ends at 2023-01-01, which is not after",
        ),
        ("/schedules/day/shifts", {"to": "2025-11-01"}, "it spans more than 400 days"),
        ("/schedules/day/shifts", {"from": "1801-01-01"}, "is too far away"),
        ("/overrides", {"state": "x"}, "state is one of current, all"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_with_the_reason(api, path, query, expected):
    status, body = await api("GET", path, params=query)
    assert status == 400
    assert expected in body["detail"]


async def test_a_name_that_there_is_not_is_said(api):
    status, body = await api("GET", "/schedules/dya/shifts")
    assert (status, body["detail"]) == (
        404,
        "The configuration has no schedule 'dya'; did you mean 'day'?.",
    )


# --- overrides -----------------------------------------------------------------------------------------


async def test_an_override_counts_at_once_and_ends_by_itself(api):
    status, made = await api.override()
    assert (status, made["people"], made["by"], made["state"], made["source"]) == (
        200,
        ["fay"],
        "dana",
        "active",
        "store",
    )
    assert (made["start"], made["end"]) == (at(0), at(2 * HOUR))
    assert [await api.on_duty(at=at(after)) for after in (0, 2 * HOUR)] == [["fay"], ["eli"]]


async def test_another_process_keeps_up_with_an_override(api):
    other = OnCall(api.world.store, api.world.plan)
    await other.keep_up()
    await api.override()
    assert other.people("day", START) == ("eli",)
    await other.keep_up()
    assert other.people("day", START) == ("fay",)


async def test_the_override_made_last_wins(api):
    for person in ("fay", "dana"):
        await api.override(people=[person])
        await api.world.pass_to(1)
    assert await api.on_duty() == ["dana"]


async def test_one_person_alone_can_be_replaced(api):
    await api.override(instead_of="dana")
    assert await api.on_duty() == ["eli"]
    await api.world.pass_to(1)
    await api.override(instead_of="eli", people=["fay", "dana"])
    assert await api.on_duty() == ["fay", "dana"]


async def test_somebody_who_is_gone_from_the_users_stands_in_for_nobody(api):
    await api.override(people=["fay"])
    text = (CONFIG % ("0" * 32)).replace(", {name: fay, email: f@x.y}", "").replace("[fay]", "[eli]")
    api.world.path.write_text(text)
    await api.world.plan.reload()
    assert await api.on_duty() == ["eli"]


async def test_removing_ends_it_now_and_keeps_what_was(api):
    _, made = await api.override()
    await api.world.pass_to(HOUR)
    status, ended = await api("DELETE", f"/overrides/{made['id']}")
    assert (status, ended["end"], ended["state"]) == (200, at(HOUR), "ended")
    assert [await api.on_duty(at=at(after)) for after in (0, HOUR)] == [["fay"], ["eli"]]
    assert (await api("DELETE", f"/overrides/{made['id']}"))[1]["end"] == at(HOUR)


async def test_one_that_is_removed_before_it_begins_never_does(api):
    _, made = await api.override(start=at(DAY))
    assert made["state"] == "pending"
    await api("DELETE", f"/overrides/{made['id']}")
    assert await api.on_duty(at=at(DAY)) == ["dana"]
    assert [one["id"] for one in (await api.get("/overrides", schedule="day"))["overrides"]] == []
    assert len((await api.get("/overrides", schedule="day", state="all"))["overrides"]) == 1


async def test_those_in_the_file_are_shown_and_only_changed_there(api):
    (found,) = (await api.get("/overrides"))["overrides"]
    assert (found["id"], found["source"], found["by"]) == ("a/b.c[1]", "file", "the configuration")
    status, body = await api("DELETE", "/overrides/a%2Fb.c%5B1%5D")
    assert status == 404
    assert "It stands in the configuration: take it out there." in body["detail"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"people": ["dan"]}, "people: the configuration has no user 'dan'; did you mean 'dana'?"),
        ({"people": []}, "people: "),
        ({"instead_of": "x"}, "instead_of: the configuration has no user 'x'"),
        ({"schedule": "dya"}, "schedule: the configuration has no schedule 'dya'; did you mean 'day'?"),
        ({"for": None}, "end: nothing says when it ends, or two fields do; expected end or for"),
        ({"end": at(HOUR)}, "end: nothing says when it ends, or two fields do"),
        ({"for": None, "end": at(-HOUR)}, "end: it ends before it begins"),
        ({"for": "1h", "start": at(-2 * HOUR)}, "end: it ends before now"),
        ({"for": "500d"}, "end: it lasts longer than a year"),
        ({"whom": "x"}, "whom: there is no such field"),
    ],
)
async def test_an_override_that_makes_no_sense_is_refused_with_the_reason(api, body, expected):
    status, answer = await api.override(**body)
    assert status == 400
    assert expected in answer["detail"]


async def test_who_made_it_is_the_tokens_user_or_whom_a_bot_speaks_for(api):
    assert (await api.override(who="bot", by="eli"))[1]["by"] == "eli"
    assert (await api.override(who="dana", by="eli"))[0] == 403
    assert (await api.override(who="reader"))[0] == 403
    assert (await api("GET", "/overrides", who="sender"))[0] == 403


# --- calendars -----------------------------------------------------------------------------------------


def path_of(feed: dict[str, str]) -> str:
    return feed["url"].removeprefix("http://t.test/api/v1")


async def test_a_calendar_is_read_with_its_address_alone(api):
    feed = await api.get("/schedules/day/feed")
    status, text = await api("GET", path_of(feed), who="")
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert status == 200
    assert {str(event["SUMMARY"]) for event in events} == {"dana", "eli"}
    assert events[14]["DTSTART"].dt == datetime(2023, 11, 15, 8, tzinfo=UTC)


async def test_a_persons_calendar_has_their_shifts_in_all_schedules(api):
    feed = await api.get("/users/dana/feed")
    _, text = await api("GET", path_of(feed), who="")
    titles = [str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(text).walk("VEVENT")]
    assert titles.count("On call: a/b.c") == 1
    assert titles.count("On call: day") > 90


async def test_a_token_shows_one_calendar_and_nothing_else(api):
    token = path_of(await api.get("/schedules/day/feed")).partition("?")[2]
    for path in ("/schedules/a%2Fb.c.ics", "/users/day.ics", "/users/dana.ics"):
        status, body = await api("GET", f"{path}?{token}", who="")
        assert (status, "not valid" in body["detail"]) == (403, True)
    assert (await api("GET", f"/schedules?{token}", who=""))[0] == 401
    assert (await api("GET", "/schedules/day.ics", who=""))[0] == 401
    assert (await api("GET", "/schedules/day.ics", who="reader"))[0] == 200


async def test_a_new_key_makes_old_addresses_invalid_after_both_have_counted(api):
    old = path_of(await api.get("/schedules/day/feed"))
    await api.secret(f"{'1' * 32} {'0' * 32}")
    assert (await api("GET", old, who=""))[0] == 200
    new = path_of(await api.get("/schedules/day/feed"))
    await api.secret("1" * 32)
    assert [(await api("GET", path, who=""))[0] for path in (old, new)] == [403, 200]
