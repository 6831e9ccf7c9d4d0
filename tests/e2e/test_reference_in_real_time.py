"""The reference deployment's critical row in real time, a minute as a second, on the real store."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from programs import ask
from reference import BY_NAME, ENV, FOLDER
from waiting import until

from gateway.standins.pagerduty import PagerDutyStandin
from gateway.standins.slack import SlackStandin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

    from programs import Tocsin

    from gateway.standins.smtp import SmtpStandin

UNANSWERED, ANSWERED = "HighSystemErrorRate", "SecurityAnomalyDetected"
MANAGEMENT, C_LEVEL = "management@freeagentics.com", "c-level@freeagentics.com"


def config(mail: SmtpStandin, slack: SlackStandin, pagerduty: PagerDutyStandin) -> str:
    """The example as it stands, but for its addresses and the length of a minute."""
    written = (FOLDER / "tocsin.yaml").read_text()
    for channel in set(re.findall(r'"#([a-z-]+)"', written)):
        slack.add_channel(channel)
    keys = {name: f"{key:0>32}" for name, key in ENV.items() if name.endswith("_KEY")}
    known = ENV | keys | {
        "PAGERDUTY_URL": pagerduty.enqueue_url,
        "SLACK_URL": slack.api_url,
        "SLACK_TOKEN": slack.token,
        "SMTP_HOST": f"localhost:{mail.port}",
        "SMTP_PASSWORD": "correct horse",
    }  # fmt: skip
    text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda one: known.get(one[1], one[2] or ""), written)
    text = text.replace("smtp_from:", f"smtp_tls_config: {{ca_file: {mail.ca_file}}}\n  smtp_from:", 1)
    return re.sub(r"after: (\d+)m\b", r"after: \1s", text)


async def test_management_hears_after_five_minutes_unacknowledged_and_the_board_after_fifteen(
    mail_server: SmtpStandin, serve: Callable[..., Awaitable[Tocsin]], stack: AsyncExitStack
) -> None:
    slack, pagerduty = SlackStandin(channels=()), PagerDutyStandin()
    for standin in (slack, pagerduty):
        await standin.start()
        stack.push_async_callback(standin.stop)
    tocsin = await serve(config(mail_server, slack, pagerduty))
    began = time.monotonic()
    heard: list[tuple[int, str, str]] = []  # (second, who, about what)
    mail_server.on_arrival = lambda what: heard.extend(
        (round(time.monotonic() - began), address, what["subject"].split()[1]) for address in what["to"]
    )
    bearer = {name: {"Authorization": f"Bearer {ENV[name]}"} for name in ENV if name.startswith("TOCSIN")}
    now = time.strftime("%FT%TZ", time.gmtime())
    alerts = [{"labels": BY_NAME[name].labels, "startsAt": now} for name in (UNANSWERED, ANSWERED)]
    status, text = await ask(
        f"{tocsin.url}/api/v2/alerts", "POST", json=alerts, headers=bearer["TOCSIN_INGEST_TOKEN"]
    )
    assert status == 200, text
    await until(lambda: len(pagerduty.incidents) == 2, "both to be paged", tocsin.tail)
    operator = {"headers": bearer["TOCSIN_OPERATOR_TOKEN"]}
    _, text = await ask(f"{tocsin.url}/api/v1/incidents", **operator)
    [number] = [
        one["number"] for one in json.loads(text)["incidents"] if one["labels"]["alertname"] == ANSWERED
    ]
    status, text = await ask(
        f"{tocsin.url}/api/v1/incidents/{number}/acknowledge", "POST", json={}, **operator
    )
    assert status == 200, text

    def bosses() -> list[tuple[int, str, str]]:
        return sorted((at, who, what) for at, who, what in heard if who in (MANAGEMENT, C_LEVEL))

    await until(lambda: len(bosses()) == 3, "management and the board", lambda: heard)
    assert [(who, what) for _, who, what in bosses()] == [
        (MANAGEMENT, UNANSWERED),
        *sorted([(C_LEVEL, UNANSWERED), (C_LEVEL, ANSWERED)]),
    ]
    assert [5 <= bosses()[0][0] <= 7, *(15 <= at <= 17 for at, _, _ in bosses()[1:])] == [True] * 3
