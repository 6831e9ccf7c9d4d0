"""Files that are written as a whole or not at all, and never over another that was not meant."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from gateway.cli.errors import UsageError


def write_whole(file: Path, text: str, *, over: bool) -> None:
    """Writes a file; whoever reads it meanwhile sees the old one or the new one.

    With `over` one that is there already is replaced, and its permissions are kept; without, it stays.

    Raises:
        UsageError: it cannot be written, or stays.
    """
    target = file.resolve()
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _refusal(file, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
        if over and target.exists():
            shutil.copymode(target, name)
        else:
            Path(name).chmod(0o666 & ~_umask())
        if over:
            Path(name).replace(target)
        else:
            os.link(name, target)
    except FileExistsError:
        raise exists(file) from None
    except OSError as error:
        raise _refusal(file, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def exists(file: Path) -> UsageError:
    """The end of a command that would write over a file."""
    return UsageError(f"{file} exists; expected the name of a new file, or --force to write over it")


def _refusal(file: Path, error: OSError) -> UsageError:
    return UsageError(f"{file} cannot be written: {error.strerror}")


def _umask() -> int:
    """What new files are not permitted. It can only be read by being set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
