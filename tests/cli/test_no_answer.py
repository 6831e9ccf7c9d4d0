"""Why there is no answer, in clear words: the server is away, silent, foreign, or refuses."""

import asyncio
import socket
import ssl

import pytest
import trustme
from aiohttp import web

from gateway.cli.client import Client
from gateway.cli.errors import CommandError

LIST = ("GET", "/api/v1/incidents?status=open&limit=50")


async def test_a_server_that_is_away_is_named_with_the_way_to_start_it(tocsin):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = await tocsin("incidents", "list", "--server", address)
    assert (ended.code, ended.out) == (1, "")
    error, hint = ended.err.splitlines()
    assert error == f"Error: no Tocsin answers at {address}: connection refused"
    assert hint.startswith("  Start one with `tocsin serve CONFIG`, or give the address")


async def test_a_server_that_is_silent_is_given_up(server):
    never = asyncio.Event()
    server.before = never.wait
    with pytest.raises(CommandError, match="did not answer within 0 s"):
        await asyncio.to_thread(Client(server.url).post, "/receivers/ops/test", 0.2)
    never.set()


async def test_a_certificate_of_nobody_known_is_refused_with_the_way_to_trust_it(tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    other = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    client = Client(f"https://localhost:{other.sockets[0].getsockname()[1]}")
    with pytest.raises(CommandError, match="no secure connection to https://localhost") as refused:
        await asyncio.to_thread(client.get, "/incidents")
    other.close()
    assert "SSL_CERT_FILE" in refused.value.hint


async def test_what_speaks_no_http_is_not_taken_for_tocsin(tocsin):
    async def greet(_reader, writer):
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    ended = await tocsin("incidents", "list", "--server", f"127.0.0.1:{other.sockets[0].getsockname()[1]}")
    other.close()
    assert ended.code == 1
    assert "is not Tocsin: it does not speak HTTP" in ended.err


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "<html>Grafana</html>", "is not Tocsin: its answer is not a JSON object"),
        (200, "[1, 2]", "is not Tocsin: its answer is not a JSON object"),
        (200, "[" * 100_000, "is not Tocsin: its answer is not a JSON object"),
        (404, "no such page", "is not Tocsin: it answered HTTP 404 without a problem document"),
        (502, "<html>nginx</html>", "Error: Bad Gateway: HTTP 502 from http://127.0.0.1"),
        (403, "", "Error: Forbidden\n  Use a token whose `scopes`"),
    ],
)
async def test_a_foreign_answer_is_said_to_be_one(server, tocsin, status, body, said):
    server.answers[LIST] = status, web.Response(text=body, status=status)
    ended = await tocsin("incidents", "list")
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err


async def test_a_redirect_is_not_followed_so_that_the_token_stays_here(server, tocsin):
    elsewhere = web.Response(status=302, headers={"Location": "http://elsewhere.example/"})
    server.answers[LIST] = 302, elsewhere
    ended = await tocsin("incidents", "list", TOCSIN_TOKEN="secret")
    assert (ended.code, len(server.requests)) == (1, 1)
    assert f"{server.url} redirects to http://elsewhere.example/" in ended.err


async def test_without_a_token_401_says_how_to_give_one(server, tocsin):
    server.token = "s3cr3t-t0ken"
    ended = await tocsin("incidents", "list")
    assert ended.code == 1
    assert "Error: Unauthorized: no token" in ended.err
    assert "wants a token: set TOCSIN_TOKEN, or give --token." in ended.err


async def test_a_wrong_token_is_refused_and_never_repeated(server, tocsin):
    server.token = "s3cr3t-t0ken"
    ended = await tocsin("incidents", "list", "--token", "wr0ng-t0ken", TOCSIN_DEBUG="1")
    assert ended.code == 1
    assert "does not know the token given with --token or TOCSIN_TOKEN." in ended.err
    assert "wr0ng-t0ken" not in ended.out + ended.err


@pytest.mark.parametrize("way", ["option", "environment"])
async def test_the_right_token_opens_the_door_whichever_way_it_is_given(server, tocsin, way):
    server.token = "s3cr3t-t0ken"
    server.answers[LIST] = 200, {"incidents": []}
    arguments = ["--token", server.token] if way == "option" else []
    env = {} if way == "option" else {"TOCSIN_TOKEN": server.token}
    ended = await tocsin("incidents", "list", *arguments, **env)
    assert (ended.code, ended.err) == (0, "No open incidents.\n")


async def test_a_proxy_of_the_environment_is_not_asked_for_loopback(server, tocsin):
    server.answers[LIST] = 200, {"incidents": []}
    ended = await tocsin("incidents", "list", http_proxy="http://127.0.0.1:1")
    assert ended.code == 0


async def test_403_and_503_show_the_servers_words_and_what_to_do(server, api, tocsin):
    denied = api.problem(403, "Forbidden", "the token `ci` has no scope `read`")
    away = api.problem(503, "Store away", "Redis does not answer\x1b[2J")
    server.answers[LIST] = 403, denied
    forbidden = await tocsin("incidents", "list")
    server.answers[LIST] = 503, away
    waiting = await tocsin("incidents", "list", "-o", "json")
    assert forbidden.err.startswith(
        "Error: Forbidden: the token `ci` has no scope `read`\n  Use a token whose"
    )
    assert waiting.err.startswith("Error: Store away: Redis does not answer\\x1b[2J\n  Try again in a moment")
    assert (forbidden.code, waiting.code, waiting.out) == (1, 1, "")


async def test_an_answer_that_nobody_foresaw_is_one_line_unless_debugging(server, tocsin):
    server.answers[LIST] = 200, {"incidents": [17]}
    ended = await tocsin("incidents", "list")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: AttributeError: ")
    assert "Traceback" not in ended.err
    assert "TOCSIN_DEBUG=1" in ended.err
    assert "Traceback" in (await tocsin("incidents", "list", TOCSIN_DEBUG="1")).err


async def test_json_errors_leave_stdout_empty(server, api, tocsin):
    server.answers[LIST] = 500, api.problem(500, "Broken", "sorry")
    ended = await tocsin("incidents", "list", "--output", "json")
    assert (ended.code, ended.out, ended.err) == (1, "", "Error: Broken: sorry\n")
