"""Asks a running Tocsin over HTTP, and says in clear words why there is no answer.

The standard library's client, since it is imported in a few milliseconds. A redirect is not followed, so
that the token only goes where the user sent it; proxies of the environment are used, but never for loopback.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any, Final

import typer

from gateway.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT: Final = 10.0  # seconds without a byte
MAX_BODY: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A document of the API, and the server's clock when it was written."""

    body: dict[str, Any]
    at: datetime


class ProblemError(CommandError):
    """The server answered with a problem document (RFC 9457); `problem` is that document as it came."""

    def __init__(self, status: int, problem: Mapping[str, Any], hint: str = "") -> None:
        title = str(problem.get("title") or http.client.responses.get(status, f"HTTP {status}"))
        detail = str(problem.get("detail") or "")
        super().__init__(f"{title}: {detail}" if detail else title, hint)
        self.status = status
        self.problem = problem


class Client:
    """One running Tocsin at `server` (`http://host:port`, a path prefix is kept), asked with `token` if any.

    Raises:
        typer.BadParameter: the address or the token cannot be used as it is.
    """

    def __init__(self, server: str, token: str = "") -> None:
        self.server, host = _base(server)
        self._token = _usable(token)
        proxies: dict[str, str] | None = {} if _is_loopback(host) else None
        self._opener = _opener(proxies)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Answer:
        """The document at `path` (below `/api/v1`, already quoted)."""
        asked = urllib.parse.urlencode(query, doseq=True) if query else ""
        return self._ask("GET", f"{path}?{asked}" if asked else path, TIMEOUT)

    def post(self, path: str, timeout: float = TIMEOUT, body: Mapping[str, object] | None = None) -> Answer:
        """What the server says to a POST of `body`, none by default, to `path`; `timeout` in seconds."""
        return self._ask("POST", path, timeout, body)

    def delete(self, path: str) -> Answer:
        """What the server says to a DELETE of `path`."""
        return self._ask("DELETE", path, TIMEOUT)

    @contextmanager
    def stream(self, path: str, query: Mapping[str, object] | None = None) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that goes on and on, as they come; silence for `TIMEOUT` ends it."""
        asked = urllib.parse.urlencode(query, doseq=True) if query else ""
        with self._opened("GET", f"{path}?{asked}" if asked else path, TIMEOUT) as response:
            yield self._lines(response)

    def _lines(self, response: IO[bytes]) -> Iterator[bytes]:
        try:
            while line := response.readline(MAX_BODY):
                yield line
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error, TIMEOUT) from None

    def _ask(
        self, method: str, path: str, timeout: float, body: Mapping[str, object] | None = None
    ) -> Answer:
        with self._opened(method, path, timeout, body) as response:
            try:
                return Answer(self._document(response), _clock(response.headers))
            except (OSError, http.client.HTTPException) as error:
                raise self._silence(error, timeout) from None

    def _opened(
        self, method: str, path: str, timeout: float, body: Mapping[str, object] | None = None
    ) -> http.client.HTTPResponse:
        sent = b"" if method == "POST" else None
        headers = {"Accept": "application/json", "User-Agent": "tocsin-cli"}
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(  # noqa: S310 - `_base` let only http and https through
            f"{self.server}/api/v1{path}",
            method=method,
            data=sent,
            headers=headers,
        )
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            opened: http.client.HTTPResponse = self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except urllib.error.URLError as error:
            raise self._silence(error.reason, timeout) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error, timeout) from None
        return opened

    def _document(self, response: IO[bytes]) -> dict[str, Any]:
        raw = response.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise CommandError(f"the answer of {self.server} is too long", "Ask for less with --limit.")
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise self._foreign("its answer is not a JSON object")
        return body

    def _refusal(self, error: urllib.error.HTTPError) -> CommandError:
        status = error.code
        if 300 <= status < 400:
            where = error.headers.get("Location", "nowhere")
            return CommandError(
                f"{self.server} redirects to {where}", "Give the final address with --server."
            )
        try:
            problem = json.loads(error.read(MAX_BODY))
        except (ValueError, RecursionError, OSError, http.client.HTTPException):
            problem = None
        if not isinstance(problem, dict):
            if status in {401, 403}:
                problem = {}
            elif status < 500:
                return self._foreign(f"it answered HTTP {status} without a problem document")
            else:
                problem = {"detail": f"HTTP {status} from {self.server}"}
        return ProblemError(status, problem, self._advice(status))

    def _advice(self, status: int) -> str:
        if status == 401 and self._token:
            return (
                f"{self.server} does not know the token given with --token or TOCSIN_TOKEN.\n"
                "Its tokens stand under `auth.tokens` of its configuration."
            )
        if status == 401:
            return (
                f"{self.server} wants a token: set TOCSIN_TOKEN, or give --token.\n"
                "Its tokens stand under `auth.tokens` of its configuration."
            )
        if status == 403:
            return "Use a token whose `scopes` (under `auth.tokens` of the configuration) allow this."
        if status == 503:
            return "Try again in a moment; the server's log says what it is waiting for."
        return ""

    def _foreign(self, why: str) -> CommandError:
        return CommandError(
            f"what answers at {self.server} is not Tocsin: {why}",
            "Give Tocsin's address with --server or TOCSIN_SERVER.",
        )

    def _silence(self, reason: object, timeout: float) -> CommandError:
        elsewhere = "or give the address of another with --server or TOCSIN_SERVER."
        if isinstance(reason, TimeoutError):
            return CommandError(
                f"{self.server} did not answer within {timeout:.0f} s",
                f"Look at the server's log, {elsewhere}",
            )
        if isinstance(reason, ssl.SSLError):
            why = getattr(reason, "verify_message", "") or reason.reason or "TLS failed"
            return CommandError(
                f"no secure connection to {self.server}: {why}",
                "A certificate authority of your own is named with SSL_CERT_FILE.",
            )
        if isinstance(reason, http.client.HTTPException):
            return self._foreign("it does not speak HTTP")
        why = (getattr(reason, "strerror", None) or str(reason)).lower()
        return CommandError(
            f"no Tocsin answers at {self.server}: {why}", f"Start one with `tocsin serve CONFIG`, {elsewhere}"
        )


def _opener(proxies: dict[str, str] | None) -> urllib.request.OpenerDirector:
    """HTTP and HTTPS only, and no handler of redirects: a redirect becomes an `HTTPError`."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _base(server: str) -> tuple[str, str]:
    """The address without its last slash, and its host."""
    address = server.strip()
    if "://" not in address:
        address = f"http://{address}"
    hint = "'--server'"
    try:
        parts = urllib.parse.urlsplit(address)
        _ = parts.port  # raises where it is no port
    except ValueError:
        parts = urllib.parse.SplitResult("", "", "", "", "")
    if "@" in parts.netloc:  # never repeated: what stands before the @ may be a password
        raise typer.BadParameter("give the address without a user and password; use --token", param_hint=hint)
    unusable = any(not "!" <= character <= "~" for character in address)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
        or unusable
    ):
        raise typer.BadParameter("expected an address such as http://127.0.0.1:9199", param_hint=hint)
    return address.rstrip("/"), parts.hostname


def _usable(token: str) -> str:
    token = token.strip()
    if any(not "!" <= character <= "~" for character in token):
        raise typer.BadParameter("a token has no spaces and only ASCII characters", param_hint="'--token'")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _clock(headers: http.client.HTTPMessage) -> datetime:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC)
