"""A file's text, or in plain words why there is none: the same for everything that people write and we read.

It bounds the size before anything is parsed. What the text means is its reader's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.problems import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 4 * 2**20


def text_of(file: Path, kind: str) -> str:
    """The text of a file; `kind` says in errors what was expected, such as "a tocsin.yaml".

    Raises:
        ConfigError: there is no such file, it cannot be read, is too large or no UTF-8.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(file, f"there is no such file; expected the path of {kind}") from None
    except IsADirectoryError:
        raise _refusal(file, "this is a folder; expected the path of a file") from None
    except OSError as error:
        raise _refusal(file, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _refusal(file, f"larger than {MAX_BYTES // 2**20} MiB; expected {kind} that people write")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8; expected a file saved as UTF-8"
        raise ConfigError([Problem(str(file), line, column, "", message)]) from None


def _refusal(file: Path, message: str) -> ConfigError:
    return ConfigError([Problem(str(file), 1, 1, "", message)])
