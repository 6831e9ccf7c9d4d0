"""Who it is that answers over HTTP: what the timeline will say of them.

A token that has a user's name is that user's own: whoever holds it answers as that user, and as nobody else.
Any other token (of a bot, of a team) may say who it answers for, and the timeline names the token as well,
so that everybody can see who vouched for it; without a word it answers in its own name. Where there are no
tokens, the service listens on loopback only and believes what it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.users import UserConfig

SOMEBODY: Final = "somebody"
COMMAND_LINE: Final = "tocsin-cli"
"""What the command line calls itself in the header User-Agent; only for the timeline's words."""


class Speaker(NamedTuple):
    """Who answers (a user's name where it is one), and from where, in words."""

    by: str
    via: str


def speaker(token: str, by: str, users: Iterable[UserConfig], agent: str = "") -> Speaker:
    """Who answers, given the name of the token ("" where none is needed) and whom it says to answer for.

    Raises:
        ProblemError: 403 where a user's own token says that it answers for somebody else.
    """
    known = tuple(users)
    via = "command line" if agent == COMMAND_LINE else "HTTP"
    owner = user_named(token, known)
    claimed = user_named(by, known) or by.strip()
    if owner and claimed and claimed != owner:
        raise ProblemError(
            403,
            f"by: the token {token!r} is {owner}'s own and answers for nobody else; leave it out, or use a "
            "token that has no user's name.",
            field="by",
        )
    if token and not owner and claimed:
        return Speaker(claimed, f"{via}, token {token}")
    return Speaker(owner or claimed or token or SOMEBODY, via)


def user_named(text: str, users: Iterable[UserConfig]) -> str:
    """The user with this name or mail address, in whatever case; "" where there is none."""
    wanted = text.strip().casefold()
    if not wanted:
        return ""
    return next((one.name for one in users if wanted in (one.name.casefold(), one.email.casefold())), "")
