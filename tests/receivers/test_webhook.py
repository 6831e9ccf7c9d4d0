"""Posts to a real HTTP server: the body that Alertmanager would send, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiohttp import web

from config.schema import WebhookConfig
from receivers import traits, webhook, webhook_body
from receivers.base import Refused, Retry, Sent
from receivers.webhook_body import write_body
from receivers.webhook_request import signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from receivers.base import Message, ShownAlert

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

PAYLOADS = Path(__file__).parents[2] / "gateway" / "standins" / "payloads"


class Hook:
    """A server that keeps what is posted and answers what the test says."""

    def __init__(self) -> None:
        self.posts: list[tuple[web.Request, bytes]] = []
        self.answer: Callable[[web.Request], Any] = lambda _: web.Response()
        self.url = ""

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._take)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0, ssl_context=context).start()
        self.port = self.runner.addresses[0][1]
        self.url = f"http{'s' if context else ''}://localhost:{self.port}"

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.posts.append((request, await request.read()))
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.posts[-1][1])

    @property
    def headers(self) -> Any:
        return self.posts[-1][0].headers


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    await hook.start()
    yield hook
    await hook.runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[webhook.WebhookReceiver]:
    receiver = webhook.create()
    yield receiver
    await receiver.close()


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def to(url: str, **fields: Any) -> WebhookConfig:
    return WebhookConfig.model_validate({"url": url} | fields)


async def pages(*pages: Sequence[ShownAlert]) -> AsyncIterator[Sequence[ShownAlert]]:
    for page in pages:
        yield page


async def test_the_body_is_alertmanagers_with_tocsin_beside_it(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    alerts = [make_alert(2), make_alert(1, "resolved")]
    message = make_message(alerts, receiver="web.hook", reason="some alerts resolved")
    assert await receiver.send(to(f"{hook.url}/hook"), message, {}) == Sent()
    body = hook.body
    assert {name: body[name] for name in ("receiver", "status", "version", "truncatedAlerts")} == {
        "receiver": "web\\.hook",
        "status": "firing",
        "version": "4",
        "truncatedAlerts": 0,
    }
    assert body["groupKey"] == '{}/{team="backend"}:{alertname="HighAPIResponseTime", cluster="eu-west"}'
    assert body["notification_reason"] == "some alerts resolved"
    assert [alert["labels"]["instance"] for alert in body["alerts"]] == ["api-1:8000", "api-2:8000"]
    assert [alert["endsAt"] for alert in body["alerts"]] == ["2026-11-18T14:18:00Z", "0001-01-01T00:00:00Z"]
    assert body["tocsin"] == {
        "incident": 1042, "status": "firing", "severity": "critical", "kind": "ring", "delivery": "d-7f3a",
        "url": "https://tocsin.example.com/incidents/1042", "revision": 3, "ring": 1, "test": False,
        "acknowledged": None, "upcoming": None, "held": 0, "held_by": "",
    }  # fmt: skip
    assert hook.headers["Content-Type"] == "application/json"
    assert hook.headers["User-Agent"].startswith("Tocsin/")
    assert hook.headers["X-Tocsin-Delivery"] == "d-7f3a.3.1"


async def test_a_body_has_every_field_of_a_real_alertmanagers(make_message: MakeMessage) -> None:
    real = json.loads(next(iter(sorted(PAYLOADS.glob("*-gw.json")))).read_bytes())
    ours = json.loads(await write_body(make_message(), 0))
    assert set(real) <= set(ours)
    assert set(real["alerts"][0]) == set(ours["alerts"][0])


async def test_fingerprints_and_times_are_alertmanagers(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    real = json.loads(next(iter(sorted(PAYLOADS.glob("*-gw.json")))).read_bytes())["alerts"][0]
    alert = make_alert(starts_at=1_763_887_715_380)
    alert = type(alert)(
        real["labels"], real["annotations"], "firing", alert.starts_at, 0, real["generatorURL"]
    )
    ours = json.loads(await write_body(make_message([alert]), 0))["alerts"][0]
    assert ours | {"startsAt": real["startsAt"]} == real
    assert ours["startsAt"] == "2025-11-23T08:48:35.38Z"


async def test_all_alerts_are_read_in_pages_and_cut_where_the_receiver_says(
    make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    alerts = [make_alert(number, labels={"instance": f"{number:04}"}) for number in range(3000, 0, -1)]
    for limit, shown, hidden in ((0, 3000, 0), (10, 10, 2990)):
        read = pages(alerts[:1000], alerts[1000:2000], alerts[2000:])
        message = make_message(alerts[:50], firing=3000, all_alerts=read)
        body = json.loads(await write_body(message, limit))
        assert (len(body["alerts"]), body["truncatedAlerts"]) == (shown, hidden)
        assert [alert["labels"]["instance"] for alert in body["alerts"][:2]] == ["0001", "0002"]


async def test_alerts_that_nobody_reads_count_as_truncated(make_message: MakeMessage) -> None:
    body = json.loads(await write_body(make_message(firing=60, resolved=3), 0))
    assert (len(body["alerts"]), body["truncatedAlerts"]) == (2, 61)


async def test_a_body_has_a_limit(
    make_message: MakeMessage, make_alert: MakeAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_body, "MAX_BODY", 100_000)
    alerts = [make_alert(number, labels={"large": "x" * 9_000 + str(number)}) for number in range(30)]
    raw = await write_body(make_message(alerts), 0)
    assert 90_000 < len(raw) < 101_000
    assert json.loads(raw)["truncatedAlerts"] == 20


async def test_a_secret_signs_time_and_body(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    for secret in ("first secret", "rotated secret"):
        file.write_text(secret + "\n")
        message = make_message()
        await receiver.send(to(hook.url, secret_file=str(file)), message, {})
        expected = signature(secret, message.now // 1000, hook.posts[-1][1])
        assert hook.headers["X-Tocsin-Signature"] == expected
    assert expected.startswith(f"t={message.now // 1000},v1=")


def test_the_signature_is_the_documented_one() -> None:
    # printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    expected = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    assert signature("key", 1_700_000_000, b"{}") == expected


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        (
            {"basic_auth": {"username": "ü", "password": "pässword"}},
            basic("ü", "pässword"),
        ),
        ({"authorization": {"credentials": "token-1"}}, "Bearer token-1"),
        ({"authorization": {"type": "Token", "credentials": "token-2"}}, "Token token-2"),
        ({"bearer_token": "token-3"}, "Bearer token-3"),
    ],
)
async def test_credentials_are_sent(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage, http: Any, expected: str
) -> None:
    await receiver.send(to(hook.url, http_config=http), make_message(), {})
    assert hook.headers["Authorization"] == expected


async def test_credentials_may_stand_in_the_address_or_in_files(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    address, token = tmp_path / "url", tmp_path / "token"
    address.write_text(hook.url.replace("//", "//user:secret-word@") + "/path?token=abc%2Fdef")
    token.write_text("token-4")
    await receiver.send(WebhookConfig(url_file=address), make_message(), {})
    assert hook.headers["Authorization"] == basic("user", "secret-word")
    assert hook.posts[-1][0].raw_path == "/path?token=abc%2Fdef"
    await receiver.send(to(hook.url, http_config={"bearer_token_file": str(token)}), make_message(), {})
    assert hook.headers["Authorization"] == "Bearer token-4"


def status(code: int, **headers: str) -> Callable[[web.Request], web.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=code, text="because", headers=named)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(200), Sent()),
        (status(204), Sent()),
        (status(400), Refused("URL answered 400: because")),
        (status(401), Refused("URL answered 401: because")),
        (status(404), Refused("URL answered 404: because")),
        (status(410), Refused("URL answered 410: because")),
        (status(408), Retry("URL answered 408: because")),
        (status(425), Retry("URL answered 425: because")),
        (status(429), Retry("URL answered 429: because", 10_000, closes_target=True)),
        (status(429, Retry_After="7"), Retry("URL answered 429: because", 7_000, closes_target=True)),
        (
            status(429, Retry_After="Wed, 18 Nov 2026 14:18:30 GMT"),
            Retry("URL answered 429: because", 30_000, closes_target=True),
        ),
        (status(500), Retry("URL answered 500: because")),
        (status(503), Retry("URL answered 503: because")),
        (status(503, Retry_After="3"), Retry("URL answered 503: because", 3_000, closes_target=True)),
        (status(500, Retry_After="999999"), Retry("URL answered 500: because", 3_600_000)),
        (status(429, Retry_After="soon"), Retry("URL answered 429: because", 10_000, closes_target=True)),
        (
            status(302, Location="/x"),
            Refused("URL answered 302: because (only 307 and 308 keep a post's body)"),
        ),
    ],
)
async def test_an_answer_is_final_or_it_is_not(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage, answer: Any, expected: Any
) -> None:
    hook.answer = answer
    outcome = await receiver.send(to(f"{hook.url}/secret-token/x"), make_message(), {})
    reason = getattr(outcome, "reason", "").replace(hook.url, "URL")
    assert (replaced(outcome, reason) if reason else outcome) == expected


def replaced(outcome: Any, reason: str) -> Any:
    fields = {name: getattr(outcome, name) for name in type(outcome).__slots__}
    return type(outcome)(**fields | {"reason": reason})


async def test_an_answer_that_repeats_secrets_does_not_spread_them(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    def echo(request: web.Request) -> web.Response:
        said = f"\x1b[31mno {request.url} with {request.headers['Authorization']}\n" + "x" * 9_999
        return web.Response(status=403, text=said)

    hook.answer = echo
    url = f"{hook.url}/services/T000/tok%2Fen-1234?key=key-5678"
    config = to(url, http_config={"bearer_token": "bearer-9999"}, secret="signing-secret")
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(f"{hook.url} answered 403: [31mno {hook.url}… with …")
    assert len(outcome.reason) < 260
    assert not any(secret in outcome.reason for secret in ("1234", "5678", "9999", "\x1b"))


async def test_a_server_that_is_away_is_tried_again(
    receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"http://127.0.0.1:{unused.getsockname()[1]}"
        outcome = await receiver.send(to(f"{where}/token"), make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith(f"{where} cannot be reached: ")
    assert "token" not in outcome.reason
    assert not outcome.unknown


async def test_no_answer_leaves_the_outcome_unknown(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    hook.answer = lambda _: asyncio.sleep(5)
    outcome = await receiver.send(to(hook.url, timeout="100ms"), make_message(), {})
    assert outcome == Retry(f"{hook.url} did not answer within 0.1 s", unknown=True)


async def test_a_connection_that_breaks_leaves_the_outcome_unknown(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    hook.answer = hang_up
    outcome = await receiver.send(to(hook.url), make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.unknown


async def test_connections_are_used_again_also_after_an_error(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    for code in (200, 500, 404, 200):
        hook.answer = status(code)
        await receiver.send(to(hook.url), make_message(), {})
    assert len({request.transport for request, _ in hook.posts}) == 1


async def test_redirects_that_keep_the_body_are_followed_without_giving_credentials_away(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    other = Hook()
    await other.start()
    hook.answer = status(307, Location=f"{other.url}/there")
    config = to(hook.url, http_config={"bearer_token": "token-1"})
    assert await receiver.send(config, make_message(), {}) == Sent()
    assert other.posts[0][1] == hook.posts[0][1]
    assert "Authorization" not in other.headers
    refused = to(hook.url, http_config={"follow_redirects": False})
    assert isinstance(await receiver.send(refused, make_message(), {}), Refused)
    hook.answer = status(308, Location="/again")
    outcome = await receiver.send(config, make_message(), {})
    assert outcome == Refused(f"{hook.url} redirects more than 3 times")
    await other.runner.cleanup()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def test_tls_is_checked_as_configured(
    receiver: webhook.WebhookReceiver, make_message: MakeMessage, authority: trustme.CA, tmp_path: Path
) -> None:
    hook, ca = Hook(), tmp_path / "ca.pem"
    await hook.start(served(authority))
    authority.cert_pem.write_to_path(str(ca))
    by_address = hook.url.replace("localhost", "127.0.0.1")
    cases = [
        (hook.url, None, Retry),
        (hook.url, {"ca_file": str(ca)}, Sent),
        (hook.url, {"insecure_skip_verify": True}, Sent),
        (by_address, {"ca_file": str(ca)}, Retry),
        (by_address, {"ca_file": str(ca), "server_name": "localhost"}, Sent),
        (hook.url, {"ca_file": str(tmp_path / "missing.pem")}, Retry),
    ]
    for url, tls, kind in cases:
        config = to(url, http_config={"tls_config": tls} if tls else None)
        assert isinstance(await receiver.send(config, make_message(), {}), kind), (url, tls)
    outcome = await receiver.send(to(hook.url), make_message(), {})
    assert "its certificate is not trusted: " in outcome.reason
    await hook.runner.cleanup()


async def test_a_client_certificate_is_shown(
    receiver: webhook.WebhookReceiver, make_message: MakeMessage, authority: trustme.CA, tmp_path: Path
) -> None:
    hook, shown = Hook(), []
    await hook.start(served(authority))
    ours = authority.issue_cert("tocsin.example.com")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    authority.cert_pem.write_to_path(str(files["ca"]))
    ours.cert_chain_pems[0].write_to_path(str(files["cert"]))
    ours.private_key_pem.write_to_path(str(files["key"]))

    def look(request: web.Request) -> web.Response:
        shown.append(request.get_extra_info("peercert"))
        return web.Response()

    hook.answer = look
    tls = {f"{name}_file": str(file) for name, file in files.items()}
    assert await receiver.send(to(hook.url, http_config={"tls_config": tls}), make_message(), {}) == Sent()
    assert ("DNS", "tocsin.example.com") in shown[0]["subjectAltName"]
    await hook.runner.cleanup()


async def test_a_proxy_is_used(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    proxy = hook.url.replace("//", "//user:proxy-word@")
    config = to("http://nowhere.invalid/hook", http_config={"proxy_url": proxy})
    assert await receiver.send(config, make_message(), {}) == Sent()
    assert hook.posts[0][0].raw_path == "http://nowhere.invalid/hook"
    assert hook.headers["Proxy-Authorization"] == basic("user", "proxy-word")


@pytest.mark.parametrize("config", [WebhookConfig(), WebhookConfig.model_construct(url=None)])
async def test_without_an_address_nothing_is_posted(
    receiver: webhook.WebhookReceiver, make_message: MakeMessage, config: WebhookConfig
) -> None:
    outcome = await receiver.send(config, make_message(), {})
    assert outcome == Refused("url is no web address; expected one such as https://hooks.example.com/tocsin")


async def test_a_missing_secret_is_tried_again(
    receiver: webhook.WebhookReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    config = WebhookConfig(url_file=tmp_path / "url")
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Retry)
    assert traits.webhook(config).target == "webhook:unknown"


def test_traits_say_that_every_change_is_posted() -> None:
    facts = traits.webhook(to("https://hooks.example.com/secret-token"))
    assert (facts.slots, facts.edits, facts.updates) == (8, False, True)
    assert re.fullmatch(r"webhook:hooks\.example\.com:443/[0-9a-f]{8}", facts.target)


def test_every_address_on_a_server_is_a_target_of_its_own() -> None:
    urls = ("https://hooks.example.com/a", "https://hooks.example.com/b", "https://hooks.example.com/a?x=1")
    assert len({traits.webhook(to(url)).target for url in urls}) == 3
    assert traits.webhook(to(urls[0])) == traits.webhook(to(urls[0]))


async def test_an_address_that_hangs_does_not_hold_back_its_neighbour(
    hook: Hook, receiver: webhook.WebhookReceiver, make_message: MakeMessage
) -> None:
    everybody, release = asyncio.Barrier(25), asyncio.Event()

    async def hang() -> web.Response:
        await everybody.wait()
        await release.wait()
        return web.Response()

    hook.answer = lambda request: hang() if request.path == "/hangs" else web.Response()
    sends = (receiver.send(to(f"{hook.url}/hangs"), make_message(), {}) for _ in range(24))
    hanging = [asyncio.create_task(send) for send in sends]
    async with asyncio.timeout(5):
        await everybody.wait()
        assert await receiver.send(to(f"{hook.url}/fine"), make_message(), {}) == Sent()
    release.set()
    assert await asyncio.gather(*hanging) == [Sent()] * 24
