"""PagerDuty: an incident is a trigger of the Events API v2, its end a resolve of the same key.

This module sends events and says what an answer means. How an event looks says `pagerduty_event.py`, which
events a message takes and under which keys `pagerduty_keys.py`. It does not retry or escalate.

pdpyras is synchronous, so it works in threads of its own, one attempt at a time, with its retries off
(docs/decisions/pdpyras.md). Rules: PagerDuty's "Events API v2 overview" (answers, 512 KB) and "Send an alert
event" (fields and lengths). A 403 is not documented for v2; the v1 API limited its rate with it and proxies
refuse with it, so it is retried: a page is not given up for it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from config.schema import SecretError, reveal
from receivers.base import Refused, Retry, Sent
from receivers.pagerduty_event import build_event
from receivers.pagerduty_keys import Opened, digest, ring_key, steps
from receivers.render import Renderer
from receivers.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from config.schema import HTTPConfig, PagerDutyConfig
    from receivers.base import Message, Outcome

TIMEOUT_S: Final = 5
"""For connecting, and again for the answer: PagerDuty answers in well under a second."""

_WHOLE_S: Final = 20  # for everything, waiting for a thread included; an answer that trickles ends here
_THREADS: Final = 8  # for one address; a slow one does not hold up another
_RATE_LIMITED_MS: Final = 60_000  # the documents ask for "a backoff of a few minutes" and send no Retry-After
_SHOWN: Final = 300


def create() -> PagerDutyReceiver:
    """A receiver without threads or connections yet; imports pdpyras."""
    return PagerDutyReceiver()


def _key(config: PagerDutyConfig) -> str:
    secret, file = (
        config.routing_key or config.service_key,
        config.routing_key_file or config.service_key_file,
    )
    return reveal(secret, file)


class PagerDutyReceiver:
    """Sends events. One instance serves every key; threads and connections are made when first needed."""

    def __init__(self) -> None:
        self._client = _Client()
        self._renderer = Renderer()
        self._pools: dict[str, ThreadPoolExecutor] = {}

    async def send(self, config: PagerDutyConfig, message: Message, memory: Mapping[str, Any]) -> Outcome:
        """Trigger, acknowledge or resolve, as `pagerduty_keys.py` says. See `Receiver.send`."""
        where = urlsplit(config.url).netloc
        if where not in self._pools:
            self._pools[where] = ThreadPoolExecutor(_THREADS, thread_name_prefix="pagerduty")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_WHOLE_S):
                return await loop.run_in_executor(self._pools[where], self._deliver, config, message, memory)
        except TimeoutError:
            tried = Opened.remembered(memory, ring_key(message.dedup_key, 1)).after_unknown(message)
            reason = f"no answer from {where} within {_WHOLE_S} s"
            return Retry(reason, unknown=True, memory=tried.memory())

    async def close(self) -> None:
        """Let threads that still wait for an answer end by their own time-out; start nothing new."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _deliver(self, config: PagerDutyConfig, message: Message, memory: Mapping[str, Any]) -> Outcome:
        """Everything that blocks, in a thread: read the key, render, send."""
        try:
            key = _key(config)
        except SecretError as error:
            return Retry(str(error))
        if not key:
            return Refused("the routing key is empty; set routing_key or routing_key_file")
        event, note = build_event(config, message, self._renderer)
        connection, notes = _connection(config.http_config), [note] if note else []
        before = opened = Opened.remembered(memory, ring_key(message.dedup_key, 1))
        for step in steps(message, digest(event), memory):
            body = event if step.action == "trigger" else {"event_action": step.action}
            outcome = self._client.post(config.url, key, body | {"dedup_key": step.key}, connection)
            if isinstance(outcome, Retry):
                if outcome.unknown and step.action == "trigger":
                    opened = opened.after_unknown(message)
                return replace(outcome, memory=None if opened == before else opened.memory())
            if isinstance(outcome, Refused):
                if step.action != "resolve" or message.kind == "end":
                    return outcome
                notes.append(f"an earlier ring could not be resolved: {outcome.reason}")
            opened = step.then
        return Sent(opened.memory(), "; ".join(notes))


class _Client:
    """pdpyras, cut down to one attempt. Every thread has its session, every session its connections."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it announces on import that it is frozen
            import pdpyras  # noqa: PLC0415 - only where the configuration uses it
        self._error: type[Exception] = pdpyras.PDClientError

        class OneAttempt(pdpyras.EventsAPISession):  # type: ignore[misc]  # pdpyras is untyped
            """A session that hands on every answer at once: pdpyras would retry a 429 without end."""

            timeout = TIMEOUT_S
            max_network_attempts = 0

            def postprocess(self, response: requests.Response) -> None:
                if not response.ok:
                    raise pdpyras.PDHTTPError("refused", response)

        self._session_class = OneAttempt
        self._sessions: list[Any] = []
        self._mine = threading.local()

    def post(self, url: str, key: str, event: dict[str, Any], connection: dict[str, Any]) -> Outcome:
        """What became of one event. Never raises for what the service or the network does."""
        session = self._session(key, url)
        try:
            # Not `trigger` or `resolve`: they know one path only, and not `client` and `class`.
            answer = session.post(url, json=event, allow_redirects=False, **connection)
        except self._error as error:
            response = getattr(error, "response", None)
            if response is None:
                return _network(error.__cause__, url)
            return _outcome(response.status_code, response.headers, response.text, key)
        except OSError as error:  # a file named in `tls_config`
            return Retry(f"the connection cannot be made: {error.strerror or error}")
        return _outcome(answer.status_code, answer.headers, answer.text, key)

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    def _session(self, key: str, url: str) -> Any:
        session = getattr(self._mine, "session", None)
        if session is None:
            session = self._mine.session = self._session_class(key)
            self._sessions.append(session)
        session.api_key = key
        session.url = url  # its base, of which what is posted to must be a part
        return session


def _connection(http: HTTPConfig | None) -> dict[str, Any]:
    """Proxy and TLS in requests' words; no credentials, since the key is in the event."""
    if http is None:
        return {}
    given: dict[str, Any] = {}
    if http.proxy_url is not None:
        given["proxies"] = dict.fromkeys(("http", "https"), http.proxy_url.get_secret_value())
    tls = http.tls_config
    if tls is not None:
        given["verify"] = str(tls.ca_file) if tls.ca_file else not tls.insecure_skip_verify
        if tls.cert_file:
            given["cert"] = (str(tls.cert_file), str(tls.key_file)) if tls.key_file else str(tls.cert_file)
    return given


def _outcome(status: int, headers: Mapping[str, str], text: str, key: str) -> Outcome:
    said = _words(text).replace(key, "(key)")
    if status == 202:
        return Sent()
    if status == 429:
        return Retry(
            f"rate limit: {said}", after=retry_after(headers) or _RATE_LIMITED_MS, closes_target=True
        )
    if status in (403, 408, 425) or status >= 500:
        return Retry(f"HTTP {status}: {said}", after=retry_after(headers), unknown=status >= 500)
    if "routing_key" in said or "routing key" in said.lower():
        said += "; take the Integration Key of a service's 'Events API V2' integration"
    if status in (301, 302, 307, 308, 404):
        said += "; is `url` right? It ends in /v2/enqueue"
    return Refused(f"HTTP {status}: {said}")


def _network(cause: BaseException | None, url: str) -> Retry:
    """A connection that was never made cannot have brought the event; any other may have."""
    import requests  # noqa: PLC0415 - comes with pdpyras
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415

    where = urlsplit(url).netloc
    if isinstance(cause, requests.ReadTimeout):
        return Retry(f"no answer from {where} within {TIMEOUT_S} s", unknown=True)
    inner = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    never = isinstance(
        cause, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError
    )
    if never or isinstance(inner, NewConnectionError):
        return Retry(f"no connection to {where}: {type(inner or cause).__name__}")
    return Retry(f"the connection to {where} broke: {type(cause).__name__}", unknown=True)


def _words(text: str) -> str:
    """What the answer's documented body says (`message`, `errors`), else its first line."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return text.strip()[:_SHOWN] or "no explanation"
    errors = body.get("errors")
    parts = [body.get("message"), *(errors if isinstance(errors, list) else [errors])]
    return "; ".join(str(part) for part in parts if part)[:_SHOWN] or "no explanation"
