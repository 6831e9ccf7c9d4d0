"""A configuration changes under an open incident: its end goes where its beginning went."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from alertmanagers import Rules
from programs import ask
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Tocsin

ROUTE = "  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s"
OTHERS = """\
  - name: others
    webhook_configs: [{{url: "{hook}?others"}}]
"""


def heard(audience: Audience) -> list[tuple[str, str, str]]:
    """(whom, kind, incident) of each webhook."""
    who = [query or "everybody" for query in audience.machine.queries]
    return [
        (name, kind, number) for name, (kind, number, _, _) in zip(who, audience.at_machine(), strict=True)
    ]


async def test_another_receiver_is_told_of_what_is_open_and_the_old_one_of_its_end_too(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    before = audience.config(ROUTE, more=OTHERS.format(hook=audience.machine.hook))
    tocsin = await serve(before)
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    story = [("everybody", "ring", "#1")]
    await until(lambda: heard(audience) == story, "A", audience.everything)
    tocsin.config.write_text(before.replace("receiver: everybody", "receiver: others", 1))
    assert (await ask(f"{tocsin.url}/-/reload", "POST"))[0] == 200
    story.append(("others", "ring", "#1"))
    await until(lambda: heard(audience) == story, "A by the new route", audience.everything)
    rules.fire("B")
    await rules.post()
    story.append(("others", "ring", "#2"))
    await until(lambda: heard(audience) == story, "B", audience.everything)
    rules.end("A")
    await rules.post()
    story += [("everybody", "end", "#1"), ("others", "end", "#1")]
    await until(lambda: sorted(heard(audience)) == sorted(story), "A's end", audience.everything)
    whole = [("ring", "#1"), ("resolve", "#1")]
    await until(lambda: audience.on_phone() == whole, "the end on the phone", audience.everything)

    tocsin.config.write_text(before)
    assert tocsin.process is not None
    tocsin.process.send_signal(signal.SIGHUP)
    await until(
        lambda: sum(e["event"] == "config.reloaded" for e in tocsin.events()) == 2, "the reload", tocsin.tail
    )
    story.append(("everybody", "ring", "#2"))
    await until(lambda: sorted(heard(audience)) == sorted(story), "B by the old route", audience.everything)
    rules.end("B")
    rules.fire("C")
    await rules.post()
    story += [("everybody", "ring", "#3"), ("everybody", "end", "#2"), ("others", "end", "#2")]
    await until(lambda: sorted(heard(audience)) == sorted(story), "B's end and C", audience.everything)


async def test_a_group_that_is_regrouped_or_without_a_route_ends_where_it_began(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    before = audience.config(ROUTE, more=OTHERS.format(hook=audience.machine.hook))
    sub_route = ROUTE + '\n  routes: [{matchers: [team="x"], receiver: others}]'
    tocsin = await serve(before.replace(ROUTE, sub_route))
    rules = Rules([tocsin.url])
    rules.fire("A", team="x")
    rules.fire("B")
    await rules.post()
    await until(lambda: len(heard(audience)) == 2, "both", audience.everything)
    tocsin.config.write_text(before.replace("[alertname]", "[cluster]"))
    assert (await ask(f"{tocsin.url}/-/reload", "POST"))[0] == 200
    rules.end("A")
    rules.end("B")
    await rules.post()

    def told(kind: str) -> set[tuple[str, str]]:
        return {(who, number) for who, heard_as, number in heard(audience) if heard_as == kind}

    await until(lambda: told("ring") == told("end"), "the end of all", audience.everything)
    assert {who for who, _, _ in heard(audience)[:2]} == {"everybody", "others"}
    assert {number for _, number in told("ring")} == {"#1", "#2"}


async def test_a_broken_file_is_refused_whole_and_the_running_one_stays(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    tocsin = await serve(audience.config(ROUTE))
    tocsin.config.write_text(
        tocsin.config.read_text().replace("receiver: everybody", "receiver: everyone", 1)
    )
    status, text = await ask(f"{tocsin.url}/-/reload", "POST")
    assert status == 400
    assert any(
        "everyone" in problem and "did you mean 'everybody'" in problem
        for problem in json.loads(text)["problems"]
    ), text
    assert "tocsin_config_last_reload_successful 0.0" in (await ask(f"{tocsin.url}/metrics"))[1]
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await until(lambda: heard(audience) == [("everybody", "ring", "#1")], "A", audience.everything)
