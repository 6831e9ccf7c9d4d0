"""The data directory of an embedded store: what lies where, and who may use it.

Two locks (flock) guard it. `lock` is held by the living Tocsin; `store.lock` by the server, which inherits it
and keeps it for as long as it or a child of it lives. So two Tocsins never share a directory, and two servers
never write one file; the kernel frees both locks in whatever way their holder dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

LONGEST_SOCKET_PATH: Final = 103  # bytes; macOS' limit, Linux has 107
LOG_LIMIT: Final = 1 << 20  # bytes; one older file of about that size is kept beside it


class EmbeddedStoreError(Exception):
    """The embedded store cannot run; the text says why and what to do, and may be shown as it is."""


class DataDir:
    """One directory, made (0700) if it is not there, and locked until `free`.

    Attributes:
        path: the directory, absolute, without symbolic links.
        files: where the server keeps its append-only file.
        log: the server's log.
        socket: where the server listens; elsewhere if the directory's path is too long for a socket.
    """

    def __init__(self, path: Path) -> None:
        """Make and lock it.

        Raises:
            EmbeddedStoreError: it is in use by another living Tocsin, or cannot be used.
        """
        self.path = path.expanduser().resolve()
        self.files = self.path / "store"
        self.log = self.path / "store.log"
        try:
            self.files.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            self.socket = _socket_path(self.path)
            self._lock: int | None = _lock(self.path)
        except OSError as error:
            raise EmbeddedStoreError(
                f"the data directory {self.path} cannot be used: {error.strerror}. "
                "Give another with --data-dir or TOCSIN_DATA_DIR."
            ) from error

    def server_lock(self) -> int | None:
        """A handle that holds the server's lock, to be handed to it and closed; None if it is taken."""
        handle = os.open(self.path / "store.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def bound_log(self) -> None:
        """Put a log that has grown too large aside; the server opens it anew for each line."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_LIMIT:
                self.log.replace(self.log.with_suffix(".log.1"))

    def last_lines(self, count: int = 8) -> str:
        """The end of the server's log, "" if there is none."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
        except OSError:
            return ""

    def free(self) -> None:
        """Let the next Tocsin have it. May be called twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(path: Path) -> int:
    handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise EmbeddedStoreError(
            f"another Tocsin (pid {pid}) is running with the data directory {path}. "
            "Stop it, or give this one a directory of its own with --data-dir or TOCSIN_DATA_DIR."
        ) from error
    except BaseException:
        os.close(handle)
        raise
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "store.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    private = Path(tempfile.gettempdir()) / f"tocsin-{os.getuid()}"
    name = hashlib.blake2b(os.fsencode(data_dir), digest_size=8).hexdigest()
    path = private / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise EmbeddedStoreError(
            f"the paths {data_dir} and {private} are both too long for a unix socket "
            f"(limit {LONGEST_SOCKET_PATH} bytes). Give a shorter one with --data-dir."
        )
    private.mkdir(mode=0o700, exist_ok=True)
    facts = private.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise EmbeddedStoreError(
            f"{private} must be a directory that only you can open: the store's socket would be there, "
            f"since the path {data_dir} is too long for one. Remove it, or give a shorter --data-dir."
        )
    return path
