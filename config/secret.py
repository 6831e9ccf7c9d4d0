"""Reading a secret that stands in the configuration or in a file of its own.

A file is looked at again at every use, so that a rotated secret counts at the next message; its content
is kept until its time of change or size differs. What is read is never part of an error.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

MAX_BYTES: Final = 65_536


class SecretError(ValueError):
    """A secret cannot be read now; the message names the file and what to do, never the content."""


def reveal(secret: SecretStr | None, file: Path | None) -> str:
    """The secret itself: `secret` if there is one, else the content of `file` without white space around it.

    Both None gives "" (the secret is optional where that can happen).

    Raises:
        SecretError: the file is missing, unreadable, empty, too large or not text.
    """
    if secret is not None:
        return secret.get_secret_value()
    if file is None:
        return ""
    try:
        state = file.stat()
        return _read(file, state.st_ino, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise SecretError(f"cannot read the secret in {file}: {error.strerror}") from None


@lru_cache(maxsize=256)
def _read(file: Path, _inode: int, _changed: int, _size: int) -> str:
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise SecretError(f"the secret in {file} is longer than {MAX_BYTES} bytes; is it the right file?")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise SecretError(f"the secret in {file} is not UTF-8 text; is it the right file?") from None
    if not text:
        raise SecretError(f"the secret in {file} is empty")
    return text
