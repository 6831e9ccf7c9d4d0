"""Asks a running Prometheus over its HTTP API, and says in clear words why there is no answer."""

from __future__ import annotations

import json
import ssl
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from gateway.cli.client import Client
from gateway.cli.errors import CommandError
from gateway.simulation.series import QUERY, TooMuchError

if TYPE_CHECKING:
    import urllib.error

TIMEOUT: Final = 60.0  # seconds without a byte
MAX_BODY: Final = 16 * 1024 * 1024  # ten times as much in memory

_MAX_REASON: Final = 65_536
_ASK_FOR_LESS: Final = ("too many samples", "timed out", "maximum resolution")
_ELSEWHERE: Final = "Give the address of a Prometheus with --prometheus."


class Prometheus(Client):
    """The Prometheus at `server`, asked with a bearer token if there is one."""

    def firing(self, start: int, end: int, step: int) -> dict[str, Any]:
        """What it answers about the alerts that fired, all times in milliseconds.

        Raises:
            TooMuchError: it can only answer about less at once.
            CommandError: it does not answer, or refuses.
        """
        asked = {"query": QUERY, "start": start / 1000, "end": end / 1000, "step": step / 1000}
        return self._ask("GET", f"/query_range?{urlencode(asked)}", TIMEOUT).body

    def _document(self, response: IO[bytes]) -> dict[str, Any]:
        raw = response.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise TooMuchError(f"the answer has more than {MAX_BODY // 1024**2} MiB")
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise self._foreign("its answer is not a JSON object")
        return body

    def _refusal(self, error: urllib.error.HTTPError) -> CommandError:
        if error.code in {401, 403}:
            return CommandError(f"{self.server} wants another token", "Set TOCSIN_PROMETHEUS_TOKEN.")
        try:
            said = str(json.loads(error.read(_MAX_REASON))["error"])
        except (ValueError, RecursionError, OSError, LookupError, TypeError):
            return self._foreign(f"it answered HTTP {error.code}")
        if any(words in said for words in _ASK_FOR_LESS):
            raise TooMuchError(said)
        return CommandError(f"{self.server} refuses: {said[:300]}")

    def _foreign(self, why: str) -> CommandError:
        return CommandError(f"what answers at {self.server} is not Prometheus: {why}", _ELSEWHERE)

    def _silence(self, reason: object, timeout: float) -> CommandError:
        if isinstance(reason, ssl.SSLError):
            return super()._silence(reason, timeout)
        if isinstance(reason, TimeoutError):
            return CommandError(f"{self.server} did not answer within {timeout:.0f} s", _ELSEWHERE)
        why = (getattr(reason, "strerror", None) or str(reason)).lower()
        return CommandError(f"no Prometheus answers at {self.server}: {why}", _ELSEWHERE)
