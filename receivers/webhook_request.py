"""One post of a webhook: where to, with which credentials and signature, and what of it must not be told.

Built anew for every post from the configuration, so that a rotated file counts at the next one. It sends
nothing.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote

from yarl import URL

from config.schema import reveal
from receivers.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from config.schema import HTTPConfig, WebhookConfig
    from receivers.base import Message


@dataclass(slots=True)
class Request:
    """One post: where to, how, with which credentials, and what of it must not be told."""

    url: URL
    headers: dict[str, str]
    secret: str = field(repr=False)
    proxy: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | bool = True
    server_name: str | None = None
    body: bytes = b""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, config: WebhookConfig) -> Request:
        """From the configuration; reads files. Raises SecretError, TLSFileError or ValueError."""
        address = reveal(config.url, config.url_file)
        try:
            url = URL(address, encoded=address.isascii())  # as it was written: it may be signed
        except ValueError:
            url = URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("url is no web address; expected one such as https://hooks.example.com/tocsin")
        http = config.http_config
        credentials = _credentials(http, url)
        headers = {"Content-Type": "application/json"}
        if credentials:
            headers["Authorization"] = credentials
        tls = http.tls_config if http else None
        secret = reveal(config.secret, config.secret_file)
        return cls(
            url=url.with_user(None),
            headers=headers,
            secret=secret,
            proxy=http.proxy_url.get_secret_value() if http and http.proxy_url else None,
            tls=client_context(tls) if tls else True,
            server_name=(tls.server_name if tls else "") or None,
            secrets=tuple(_parts(url, credentials, secret)),
        )

    @property
    def where(self) -> str:
        """The server, without the path: that may hold a token."""
        return str(self.url.origin())

    def sign(self, message: Message, body: bytes) -> None:
        """Put in the body, the delivery's id and, with a secret, the signature over time and body."""
        self.body = body
        delivery = f"{message.delivery}.{message.revision}.{message.ring}"
        self.headers["X-Tocsin-Delivery"] = re.sub(r"[^\x21-\x7e]", "_", delivery)
        if self.secret:
            self.headers["X-Tocsin-Signature"] = signature(self.secret, message.now // 1000, body)

    def follow(self, location: str) -> bool:
        """Go where the server says; credentials stay behind when that is another server."""
        there = self.url.join(URL(location))
        if self.url.scheme == "https" and there.scheme != "https":
            return False
        if there.origin() != self.url.origin():
            self.headers.pop("Authorization", None)
            self.server_name = None
        self.url = there.with_user(None)
        return True

    def hide(self, text: str) -> str:
        """`text` without any secret that the server may have sent back."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 with the secret over `<t>.<body>`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def _credentials(http: HTTPConfig | None, url: URL) -> str:
    """The Authorization header; "" for none."""
    if http and http.basic_auth:
        basic = http.basic_auth
        return _basic(basic.username, reveal(basic.password, basic.password_file))
    if http and http.authorization:
        bearer = http.authorization
        return f"{bearer.type} {reveal(bearer.credentials, bearer.credentials_file)}".strip()
    if http and (token := reveal(http.bearer_token, http.bearer_token_file)):
        return f"Bearer {token}"
    if url.user:
        return _basic(url.user, url.password or "")
    return ""


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _parts(url: URL, credentials: str, secret: str) -> Iterable[str]:
    """What must not be told, longest first: all of it, then its parts."""
    path = [url.raw_path_qs, *url.raw_path.split("/"), *url.query.values()]
    words = [*path, *map(unquote, path), credentials, *credentials.split(), url.password or "", secret]
    return sorted({word for word in words if len(word) >= 6}, key=len, reverse=True)


def in_memory(config: WebhookConfig) -> bool:
    """Whether no file has to be read before a post, so that it needs no thread."""
    http = config.http_config
    if config.url_file or config.secret_file:
        return False
    if http is None:
        return True
    return not (
        http.tls_config
        or http.bearer_token_file
        or (http.basic_auth and http.basic_auth.password_file)
        or (http.authorization and http.authorization.credentials_file)
    )
