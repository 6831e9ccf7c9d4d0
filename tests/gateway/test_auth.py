"""Who is let in, over real HTTP; and where a service without tokens may listen."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from config.schema import AuthConfig
from gateway.auth import Auth, OpenListenError, is_loopback, refuse_open_listen

ALERTS = "/api/v2/alerts"


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def configured(**token: object) -> AuthConfig:
    return AuthConfig.model_validate({"tokens": [{"name": "prom", "scopes": ["ingest"], **token}]})


# --- with tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer prom-secret",
        "bearer prom-secret",
        "Bearer  prom-secret ",
        basic("prom", "prom-secret"),
        basic("anybody", "prom-secret"),
        basic("", "prom-secret"),
        "Bearer boss-secret",
    ],
)
async def test_a_known_token_is_let_in_as_bearer_or_as_password(edge, authorization):
    edge.require(other="read", prom="ingest", boss="admin")
    assert (await edge.post(ALERTS, b"[]", authorization=authorization)).status == 200


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        ("", ""),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("prom-secret", ""),
        ("Digest prom-secret", ""),
        ("Basic %%%", ""),
        ("Basic cHJvbQ==", ""),
        (basic("prom", ""), ""),
        ("Basic é", ""),
        ("Bearer prom-secre", "invalid_token"),
        ("Bearer prom-secret2", "invalid_token"),
        ("Bearer PROM-SECRET", "invalid_token"),
        ("Bearer é", "invalid_token"),
        (basic("prom-secret", "x"), "invalid_token"),
    ],
)
async def test_anything_else_is_told_how_to_ask(edge, authorization, error):
    edge.require(prom="ingest")
    answer = await edge.post(ALERTS, b"[]", authorization=authorization)
    challenges = answer.headers.getall("WWW-Authenticate")
    assert answer.status == 401
    assert [challenge.partition(" ")[0] for challenge in challenges] == ["Bearer", "Basic"]
    assert error in challenges[0]
    assert ("error=" in challenges[0]) == bool(error)
    assert "prom-secret" not in str(answer)


async def test_a_token_without_the_scope_is_told_which_one_is_missing(edge):
    edge.require(dashboard="read")
    answer = await edge.post(ALERTS, b"[]", authorization="Bearer dashboard-secret")
    assert (answer.status, answer.document["missing_scope"]) == (403, "ingest")
    assert "'dashboard' lacks the scope 'ingest' (it has: read)" in answer.detail


async def test_a_hash_stands_for_its_token(edge):
    edge.auth.use(configured(hash="sha256:" + hashlib.sha256(b"long and random").hexdigest()))
    assert (await edge.post(ALERTS, b"[]", authorization="Bearer long and random")).status == 200
    assert (await edge.post(ALERTS, b"[]", authorization="Bearer other")).status == 401


async def test_a_token_file_counts_as_it_is_now_and_lets_nobody_in_while_it_is_missing(edge, tmp_path):
    path = tmp_path / "token"
    edge.auth.use(configured(token_file=path))
    statuses = []
    for content in (None, "", "first\n", "second-one\n"):
        if content is not None:
            path.write_text(content)
        for secret in ("", "first", "second-one"):
            answer = await edge.post(ALERTS, b"[]", authorization=f"Bearer {secret}")
            statuses.append(answer.status)
    assert statuses == [401, 401, 401, 401, 401, 401, 401, 200, 401, 401, 401, 200]


async def test_a_reload_changes_who_is_let_in(edge):
    edge.require(old="ingest")
    assert (await edge.post(ALERTS, b"[]", authorization="Bearer old-secret")).status == 200
    edge.require(new="ingest")
    assert (await edge.post(ALERTS, b"[]", authorization="Bearer old-secret")).status == 401


async def test_the_body_of_who_is_not_let_in_is_not_looked_at(edge):
    edge.require(prom="ingest")
    request = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{"
    assert (await edge.raw(request)).status == 401


@pytest.mark.parametrize(
    ("authorization", "origin", "status"),
    [
        (basic("", "prom-secret"), "", 200),
        (basic("", "prom-secret"), "http://tocsin.example.com", 200),
        (basic("", "prom-secret"), "https://tocsin.example.com", 200),
        (basic("", "prom-secret"), "https://evil.example.com", 403),
        (basic("", "prom-secret"), "null", 403),
        ("Bearer prom-secret", "https://grafana.example.com", 200),
    ],
)
async def test_a_password_that_a_browser_remembers_is_no_use_to_another_site(
    edge, authorization, origin, status
):
    edge.auth.use(configured(token="prom-secret"), "https://tocsin.example.com/")
    answer = await edge.post(ALERTS, b"[]", authorization=authorization, origin=origin)
    assert answer.status == status


# --- without any token -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.0.0.2:9095", "LOCALHOST:1", "localhost.", "[::1]", "[::1]:9095"]
)
async def test_without_tokens_a_request_to_a_loopback_name_is_taken(edge, host):
    assert (await edge.post(ALERTS, b"[]", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "evil.example.com:9095",
        "localhost.evil.com",
        "10.0.0.1",
        "[::2]",
        "[",
        "é",
        "x@",
        "0.0.0.0",
    ],
)
async def test_without_tokens_a_request_to_any_other_name_is_refused(edge, host):
    answer = await edge.post(ALERTS, b'[{"labels": {"a": "b"}}]', host=host)
    assert (answer.status, edge.intake.taken) == (403, [])
    assert "auth.tokens" in answer.detail


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:9095", 200),
        ("http://LOCALHOST:9095", 200),
        ("http://localhost:3000", 403),
        ("http://localhost", 403),
        ("https://evil.example.com", 403),
        ("null", 403),
        ("http://", 403),
        ("é", 403),
    ],
)
async def test_without_tokens_a_page_of_another_site_is_refused(edge, origin, status):
    answer = await edge.post(ALERTS, b"[]", host="localhost:9095", origin=origin)
    assert answer.status == status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1", "::ffff:127.0.0.1"])
def test_a_service_without_tokens_may_listen_on_loopback(host):
    assert is_loopback(host)
    refuse_open_listen(host, Auth(AuthConfig()))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.1.2.3", "tocsin.example.com", "::ffff:10.0.0.1"])
def test_a_service_without_tokens_may_listen_nowhere_else(host):
    with pytest.raises(
        OpenListenError, match=r"Add a token under auth\.tokens, or listen on 127\.0\.0\.1 only"
    ):
        refuse_open_listen(host, Auth(AuthConfig()))
    refuse_open_listen(host, Auth(configured(token="x")))
