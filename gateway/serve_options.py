"""What `tocsin serve` was told, checked and complete; and why it could not start.

Lies outside `cli/` so that `app.py` needs nothing of the command line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["console", "json"]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to run the service.

    Attributes:
        config: the configuration file; read again at every reload.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        redis: a Redis URL that replaces the configuration's `redis.url`, None to use the latter.
        data_dir: where the embedded store keeps its data; made if it is missing.
        workers: processes that share the port and the store, at least 1.
        log_level: the least level that is written.
        log_format: `console` for people, `json` for machines.
    """

    config: Path
    host: str
    port: int
    redis: SecretStr | None
    data_dir: Path
    workers: int
    log_level: LogLevel
    log_format: LogFormat


class StartError(Exception):
    """The service cannot start as it was asked to. `message` is one line, `hint` what to do, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
