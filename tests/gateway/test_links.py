"""Links in mails: what a token says, who can make one, and how long it is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from config.load import load_text
from gateway.links import LinkError, Links
from gateway.plan import timing_of
from gateway.store.store import Store
from receivers.base import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.store

NOW = 1_795_010_700_000  # 2026-11-18 14:05 UTC
DAY = 86_400_000
OLD, NEW = "old-secret-of-links-0123456789", "new-secret-of-links-0123456789"
CONFIG = """
route: {receiver: nobody}
receivers: [{name: nobody}]
users:
  - {name: dana, email: Dana@example.com}
  - {name: eli, email: eli@example.com}
"""


def about(number: int = 42, person: str = "", now: int = NOW) -> Message:
    return Message(
        "ring", "first notification", number, "firing", "mail", "{}", {}, {}, {}, [], 1, 0, "critical",
        NOW, 0, now, "", "https://tocsin.example.com/alerts/", "d", 1, 1, "k", person=person, answerable=True,
    )  # fmt: skip


@pytest.fixture
async def make(redis_server: str) -> AsyncIterator[Callable[..., Links]]:
    """`make("link_secret: ...")`: links by a configuration with this in `auth`."""
    redis = Redis.from_url(redis_server, decode_responses=True)

    def links(auth: str = "", users: str = CONFIG) -> Links:
        config = load_text(users + (f"auth: {{{auth}}}\n" if auth else ""), "tocsin.yaml", {})
        return Links(Store(redis, 1, timing_of(config)), lambda: config)

    yield links
    await redis.aclose()


async def token(links: Links, to: str = "ops@example.com", **message: Any) -> str:
    url = await links.url(about(**message), to)
    start = "https://tocsin.example.com/alerts/link/"
    assert url.startswith(start), url
    return url.removeprefix(start)


@pytest.mark.parametrize(
    ("person", "to", "by"),
    [
        ("dana", "dana@example.com", "dana"),
        ("", "dana@example.com", "dana"),
        ("", "Dana <DANA@example.com>", "dana"),
        ("", "dana@example.com, eli@example.com", "somebody at dana@example.com and 1 more"),
        ("", "On call <oncall@example.com>", "somebody at oncall@example.com"),
        ("", "x" * 64 + "@" + "y" * 200 + ".example", "somebody at " + "x" * 64 + "@" + "y" * 14 + "…"),
    ],
)
async def test_a_link_says_for_whom_it_is(make: Callable[..., Links], person: str, to: str, by: str):
    links = make()
    made = await token(links, to, person=person)
    found = await links.read(made, NOW + DAY)
    assert (found.number, found.by, found.made_at) == (42, by, NOW)
    assert len(made) < 220


async def test_a_token_fits_into_a_line_of_a_mail(make: Callable[..., Links]):
    made = await token(make(), person="dana", number=123_456)
    assert len(made) < 90
    assert made[-1].isalnum(), "mail programs leave a sign at the end out of a link"


async def test_replicas_agree_on_a_key_that_nobody_configured(make: Callable[..., Links]):
    one, other = make(), make()
    assert (await other.read(await token(one), NOW)).number == 42
    assert (await one.read(await token(other), NOW)).number == 42


async def test_a_key_that_replaces_another_does_not_end_links_that_are_out(make: Callable[..., Links]):
    before = await token(make(f"link_secret: {OLD}"))
    both, only_new = make(f"link_secret: '{NEW} {OLD}'"), make(f"link_secret: {NEW}")
    assert (await both.read(before, NOW)).number == 42
    assert (await only_new.read(await token(both), NOW)).number == 42
    with pytest.raises(LinkError, match="not made here"):
        await only_new.read(before, NOW)


async def test_a_key_in_a_file_counts_as_it_is_now(make: Callable[..., Links], tmp_path: Path):
    file = tmp_path / "link"
    links = make(f"link_secret_file: {file}")
    assert await links.url(about(), "ops@example.com") == ""
    file.write_text("short\n")
    assert await links.url(about(), "ops@example.com") == ""
    file.write_text(f"{OLD}\n")
    before = await token(links)
    file.write_text(f"{NEW}\n{OLD}\n")
    assert (await links.read(before, NOW)).number == 42


async def test_a_link_ends_when_the_configuration_says(make: Callable[..., Links]):
    made = await token(make())
    assert (await make().read(made, NOW + 7 * DAY)).number == 42
    for links, now in ((make(), NOW + 7 * DAY + 1_000), (make("link_expires: 1h"), NOW + DAY)):
        with pytest.raises(LinkError, match="incident #42 is too old") as caught:
            await links.read(made, now)
        assert caught.value.expired


async def test_a_link_of_somebody_who_left_opens_nothing(make: Callable[..., Links]):
    made = await token(make(), person="dana")
    with pytest.raises(LinkError, match="dana, who is not among the users any more"):
        await make(users=CONFIG.replace("dana", "fay")).read(made, NOW)


async def test_a_mail_goes_without_a_link_while_the_store_is_away(redis_server: str):
    config = load_text(CONFIG, "tocsin.yaml", {})
    away = Redis.from_url("unix:///nowhere/redis.sock", decode_responses=True)
    assert await Links(Store(away, 1, timing_of(config)), lambda: config).url(about(), "a@example.com") == ""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_nobody_makes_or_changes_a_link(make: Callable[..., Links], data: st.DataObject):
    links = make(f"link_secret: {OLD}")
    made = await token(links, person="dana")
    at = data.draw(st.integers(0, len(made) - 1))
    sign = data.draw(st.one_of(st.sampled_from("Aa0.-_=%"), st.characters()))
    near = [made[:at] + sign + made[at + 1 :], made[:at], made[:at] + sign + made[at:], made * 20]
    changed = data.draw(st.sampled_from(near) | st.text(max_size=1_100))
    try:
        found = await links.read(changed, NOW)
    except LinkError:
        return
    assert (found.number, found.by, found.made_at) == (42, "dana", NOW)
    assert changed[:-1] == made[:-1], "only base64 has more than one spelling"
