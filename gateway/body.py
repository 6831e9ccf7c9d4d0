"""A request's body, whole, inflated and bounded, or a problem that says why not.

Decides which media types and encodings are taken and how much of a body; knows nothing of what is in it.
The server must not inflate by itself (`web.AppRunner(app, auto_decompress=False)`): aiohttp would go on
inflating a bomb for ten seconds after the refusal, and here no more than the limit is ever made of it.

A body that comes too slowly is answered 503, never 408: Alertmanager drops what is answered 4xx.
"""

from __future__ import annotations

import asyncio
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NoReturn

from aiohttp import web

from gateway.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLICE: Final = 1 << 18  # how much is inflated before others have their turn
_WINDOW: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_CHARSETS: Final = (None, "utf-8", "utf8", "us-ascii")
_RETRY_AFTER_S: Final = 5


async def read_json_body(request: web.Request, limit: int, timeout_ms: int) -> bytes | bytearray:
    """The request's body, sent as JSON, at most `limit` bytes of it before and after it is inflated.

    Raises:
        ProblemError: 415 another type or encoding; 413 too large; 400 cut off or not what its encoding
            says; 503 not here after `timeout_ms`.
        ConnectionError: the client went away in the middle.
    """
    _refuse_media_type(request)
    encoding = _encoding(request)
    raw = await read_within(request, limit, timeout_ms, _too_large(limit))
    return raw if encoding is None else await _inflate(raw, encoding, limit)


async def read_within(request: web.Request, limit: int, timeout_ms: int, too_large: str) -> bytearray:
    """The request's body as it comes, at most `limit` bytes of it; `too_large` is said of a larger one.

    Raises:
        ProblemError: 413 too large; 400 cut off; 503 not here after `timeout_ms`.
        ConnectionError: the client went away in the middle.
    """
    if (request.content_length or 0) > limit:
        _refuse_size(too_large)
    try:
        if request.content.is_eof():  # a small body came with its head: no clock is needed
            return await _read(request, limit, too_large)
        async with asyncio.timeout(timeout_ms / 1000):
            return await _read(request, limit, too_large)
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"The body was not here within {timeout_ms / 1000:g} s; nothing of it was stored. Send it again.",
            headers={"Retry-After": str(_RETRY_AFTER_S)},
            closes=True,
        ) from None
    except web.RequestPayloadError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "The body is not framed as its headers say; nothing of it was stored.",
            closes=True,
        ) from None


async def _read(request: web.Request, limit: int, too_large: str) -> bytearray:
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > limit:
            _refuse_size(too_large)
    return body


async def _inflate(raw: bytearray, encoding: str, limit: int) -> bytearray:
    body = bytearray()
    window = _WINDOW[encoding]
    if encoding == "deflate" and not _has_zlib_header(raw):
        window = -zlib.MAX_WBITS  # some senders mean the bare stream
    inflater = zlib.decompressobj(window)
    try:
        for piece in _pieces(raw, inflater):
            body += piece
            if len(body) > limit:
                _refuse_size(_too_large(limit))
            if len(piece) >= _SLICE:
                await asyncio.sleep(0)
    except zlib.error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"The body is not the {encoding} that it says it is."
        ) from None
    if not inflater.eof:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body's {encoding} stream ends before its end.")
    if inflater.unused_data:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body goes on after its {encoding} stream has ended.")
    return body


def _pieces(raw: bytearray, inflater: zlib._Decompress) -> Iterator[bytes]:
    """What `raw` inflates to, at most `_SLICE` bytes at a time."""
    for start in range(0, len(raw), _SLICE):
        rest = bytes(raw[start : start + _SLICE])
        while True:
            piece = inflater.decompress(rest, _SLICE)
            yield piece
            rest = inflater.unconsumed_tail
            if not rest and len(piece) < _SLICE:
                break


def _has_zlib_header(raw: bytearray) -> bool:
    return len(raw) >= 2 and raw[0] & 0x0F == 8 and (raw[0] << 8 | raw[1]) % 31 == 0


def _refuse_media_type(request: web.Request) -> None:
    given = request.headers.get("Content-Type", "")
    if not given or (
        request.content_type == "application/json" and (request.charset or "utf-8").lower() in _CHARSETS
    ):
        return
    raise ProblemError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"Expected Content-Type: application/json, in UTF-8; this is {given[:100]!r}.",
        headers={"Accept": "application/json"},
    )


def _encoding(request: web.Request) -> str | None:
    given = ",".join(request.headers.getall("Content-Encoding", ())).strip().lower()
    if given in ("", "identity"):
        return None
    if given in _WINDOW:
        return given
    raise ProblemError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"Expected Content-Encoding gzip or deflate, or none; this is {given[:100]!r}.",
        headers={"Accept-Encoding": "gzip, deflate"},
    )


def _too_large(limit: int) -> str:
    return (
        f"A body may have {limit} bytes, inflated or not. Let the sender send fewer alerts at once "
        "(Alertmanager: a narrower group_by, or max_alerts of the webhook), or raise limits.body in "
        "Tocsin's configuration."
    )


def _refuse_size(detail: str) -> NoReturn:
    raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, closes=True)
