"""Who may do what over HTTP: tokens with scopes; and, without any token, only this machine.

A token comes as `Authorization: Bearer TOKEN` or as the password of basic authentication (the user is
ignored: Alertmanager and curl ask for one). Tokens are compared by their SHA-256, in constant time, with
every token there is. Without a token configured everything is allowed, so `refuse_open_listen` keeps such
a service on loopback, and pages of other sites open in a browser there are kept out: a request must name
a loopback host (or a foreign name was pointed here) and come from no other origin.

It knows no sessions and no users. `admin` includes the other scopes; these stand each for itself.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import structlog

from config.secret import SecretError, reveal
from gateway.problem import ProblemError

if TYPE_CHECKING:
    from aiohttp import web

    from config.schema import AuthConfig, TokenConfig

log = structlog.get_logger(__name__)

Scope = Literal["ingest", "read", "respond", "admin"]

_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class OpenListenError(ValueError):
    """The service would be open to everybody who can reach it."""


class Auth:
    """What the configured tokens allow. One for the process: a reload calls `use`, handlers keep theirs."""

    def __init__(self, config: AuthConfig, external_url: str = "") -> None:
        self.use(config, external_url)

    def use(self, config: AuthConfig, external_url: str = "") -> None:
        """From now on these tokens count; `external_url` is where our own pages are seen from outside."""
        self._tokens = config.tokens
        self._external = urlsplit(external_url).netloc.lower()

    @property
    def open(self) -> bool:
        """Whether there is no token, and so everything is allowed."""
        return not self._tokens

    def allow(self, request: web.Request, scope: Scope) -> str:
        """The name of the token that allows `scope` to this request; "" where none is needed.

        Raises:
            ProblemError: 401 for no or an unknown token; 403 for a missing scope or a foreign page.
        """
        if self.open:
            _refuse_foreign_host(request)
            self._refuse_foreign_page(request)
            return ""
        scheme, secret = credentials(request.headers.get("Authorization", ""))
        token = self._find(secret) if secret else None
        if token is None:
            raise _unauthorized(request, given=bool(secret))
        if scheme == "basic" and request.method not in _SAFE_METHODS:
            self._refuse_foreign_page(request)  # a browser sends a remembered password from any page
        if scope not in token.scopes and "admin" not in token.scopes:
            has = ", ".join(sorted(token.scopes)) or "none"
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                f"The token {token.name!r} lacks the scope {scope!r} (it has: {has}). "
                "Use another one, or add the scope to it under auth.tokens.",
                missing_scope=scope,
            )
        return token.name

    def _find(self, secret: str) -> TokenConfig | None:
        """The token with this secret; as quick whichever it is, and if none is."""
        wanted = _sha256(secret)
        found = None
        for token in self._tokens:
            try:
                digest = _digest(token)
            except SecretError as error:
                log.warning("auth.unreadable", name=token.name, error=str(error))
                continue
            if compare_digest(digest, wanted):
                found = token
        return found

    def _refuse_foreign_page(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is None:
            return
        netloc = urlsplit(origin).netloc.lower() if origin.isascii() else ""
        if netloc and netloc in (request.headers.get("Host", "").lower(), self._external):
            return
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "This request comes from a page of another site (its Origin is not this service).",
        )


def refuse_open_listen(host: str, auth: Auth) -> None:
    """Keeps a service without tokens on loopback.

    Raises:
        OpenListenError: `host` can be reached from elsewhere and `auth` allows everything.
    """
    if auth.open and not is_loopback(host):
        where = host or "every address"
        raise OpenListenError(
            f"listening on {where} without auth.tokens would let everybody there read, acknowledge and send "
            "alerts. Add a token under auth.tokens, or listen on 127.0.0.1 only."
        )


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, IPv6 with or without brackets) means this machine only."""
    name = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _digest(token: TokenConfig) -> bytes:
    """The SHA-256 of the token's secret, asked anew each time: a file may have changed."""
    if token.hash is not None:
        return bytes.fromhex(token.hash.removeprefix("sha256:"))
    return _sha256(reveal(token.token, token.token_file))


def _sha256(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogateescape")).digest()


def _refuse_foreign_host(request: web.Request) -> None:
    host = request.headers.get("Host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if not is_loopback(name):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "Without auth.tokens this service answers to loopback names only, such as localhost; this one "
            f"names the host {host[:80]!r}. Add a token under auth.tokens to use it under another name.",
        )


def credentials(header: str) -> tuple[str, str]:
    """Scheme and secret of an Authorization header; an empty secret where there is none that can be read."""
    scheme, _, rest = header.partition(" ")
    scheme, rest = scheme.lower(), rest.strip()
    if scheme == "bearer":
        return scheme, rest
    if scheme != "basic":
        return scheme, ""
    try:
        pair = b64decode(rest, validate=True).decode(errors="surrogateescape")
    except (binascii.Error, ValueError):
        return scheme, ""
    return scheme, pair.partition(":")[2]


def _unauthorized(request: web.Request, *, given: bool) -> ProblemError:
    log.warning("auth.refused", method=request.method, remote=request.remote, unknown=given)
    detail = (
        "This token is not known here. Check it against auth.tokens."
        if given
        else "A token is needed: `Authorization: Bearer TOKEN`, or basic authentication with it as password."
    )
    bearer = 'Bearer realm="tocsin", error="invalid_token"' if given else 'Bearer realm="tocsin"'
    challenges = [("WWW-Authenticate", bearer), ("WWW-Authenticate", 'Basic realm="tocsin", charset="UTF-8"')]
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=challenges)
