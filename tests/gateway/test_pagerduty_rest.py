"""What is read by PagerDuty's REST API, and that whatever goes wrong there is an error in plain words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from config.pagerduty_app import PagerDutyAppConfig
from gateway import pagerduty_rest
from gateway.pagerduty_rest import PagerDutyRest, RestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = "u+secret-token"


class Api:
    """Answers what it is told to; the last answer for ever."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str]] = []
        self.app = PagerDutyAppConfig()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, request.headers["Authorization"]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(**answer) if "status" in answer or "body" in answer else web.json_response(answer)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    app = web.Application()
    app.router.add_get("/{path:.*}", api.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    api.app = PagerDutyAppConfig.model_validate({"api_token": TOKEN, "api_url": url})
    yield api
    await runner.cleanup()


@pytest.fixture
async def rest(api: Api) -> AsyncIterator[PagerDutyRest]:
    rest = PagerDutyRest(lambda: api.app)
    yield rest
    await rest.close()


async def test_the_keys_of_all_alerts_are_read_page_by_page(api: Api, rest: PagerDutyRest) -> None:
    pages = [["a", "b"], ["b", None, "c"]]
    api.answers = [
        {"alerts": [{"alert_key": key} for key in page], "more": page is pages[0]} for page in pages
    ]
    assert await rest.alert_keys("PGR0VU2") == ("a", "b", "c")
    assert [asked.partition("?")[0] for asked, _ in api.asked] == ["/incidents/PGR0VU2/alerts"] * 2
    assert [asked.endswith(offset) for (asked, _), offset in zip(api.asked, ("0", "100"), strict=True)]
    assert {token for _, token in api.asked} == {f"Token token={TOKEN}"}


async def test_an_address_is_asked_for_once_an_hour(api: Api, rest: PagerDutyRest) -> None:
    api.answers = [{"user": {"email": "dana@example.com"}}]
    assert [await rest.email("PDANA") for _ in range(3)] == ["dana@example.com"] * 3
    assert len(api.asked) == 1


@pytest.mark.parametrize("document", [{}, {"alerts": None}, {"alerts": ["x"], "more": "yes"}, []])
async def test_an_answer_of_another_shape_has_no_keys(api: Api, rest: PagerDutyRest, document: Any) -> None:
    api.answers = [{"body": json.dumps(document).encode()}]
    assert await rest.alert_keys("P1") == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 401}, "HTTP 401"),
        ({"status": 500}, "HTTP 500"),
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, "HTTP 302"),
        ({"body": b"<html>"}, "JSONDecodeError"),
        ({"body": b" " * (pagerduty_rest.MAX_BYTES + 1)}, "more than"),
    ],
)
async def test_what_cannot_be_read_is_an_error_without_the_token(
    api: Api, rest: PagerDutyRest, answer: dict[str, Any], why: str
) -> None:
    api.answers = [answer]
    with pytest.raises(RestError) as raised:
        await rest.alert_keys("P1")
    assert why in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert len(api.asked) == 1


async def test_nobody_there_an_unreadable_token_and_a_strange_id_are_errors_too(
    api: Api, rest: PagerDutyRest, tmp_path: Path
) -> None:
    for incident in ("", "../users", "P 1", "P" * 65):
        with pytest.raises(RestError, match="no id"):
            await rest.alert_keys(incident)
    api.app = PagerDutyAppConfig.model_validate({"api_token": TOKEN, "api_url": "http://127.0.0.1:1"})
    with pytest.raises(RestError, match="ClientConnector"):
        await rest.email("P1")
    api.app = PagerDutyAppConfig(api_token_file=tmp_path / "gone")
    with pytest.raises(RestError, match="gone"):
        await rest.email("P1")
    assert api.asked == []
