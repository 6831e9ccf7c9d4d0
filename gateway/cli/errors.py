"""What the command line tells when it cannot do what was asked: one line, and a hint what to do.

Exit codes: 0 done, 1 the answer is "no" or it could not be done, 2 the
command was used wrongly. Wrong usage is typer's own `BadParameter`, or a `UsageError` where a file that was
given cannot be used; everything else is a `CommandError`.
"""

from __future__ import annotations


class CommandError(Exception):
    """The command ends here with exit code 1. `message` is one line; `hint` says what to do, or is empty."""

    code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CommandError):
    """The command ends here with exit code 2: what it was given cannot be used, so there is no answer."""

    code = 2


class ReaderGoneError(Exception):
    """Whoever read our output has closed it (`tocsin ... | head`): there is nobody left to tell anything."""
