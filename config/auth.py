"""The section about who may talk to Tocsin: tokens, and what the links in mails are signed with.

What a scope allows says `gateway/auth.py`, what a link allows `gateway/links.py`. Durations are milliseconds.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from config.secret import SecretError, reveal
from config.section import Section
from config.values import Name, PositiveDuration, Secret, SecretFile, TokenHash, wrong

Scope = Literal["ingest", "read", "respond", "admin"]

SHORTEST_KEY = 16


_EXPECTED = f"{SHORTEST_KEY} characters or more, as openssl rand -hex 32 prints; spaces separate several"


def _long_enough(value: SecretStr) -> SecretStr:
    if _too_short(value.get_secret_value().split()):
        raise wrong("the secret can be guessed", _EXPECTED)
    return value


def _too_short(keys: list[str]) -> bool:
    return any(len(key) < SHORTEST_KEY for key in keys)


class TokenConfig(Section):
    """A credential of somebody who talks to Tocsin, and what it may do."""

    name: Name
    token: Secret | None = None
    hash: TokenHash | None = Field(None, description="sha256: and the hexadecimal digest of the token.")
    token_file: SecretFile | None = None
    scopes: frozenset[Scope] = Field(min_length=1)


class AuthConfig(Section):
    """Who may talk to Tocsin. Without tokens it listens on loopback only."""

    tokens: tuple[TokenConfig, ...] = ()
    link_secret: Annotated[Secret, AfterValidator(_long_enough)] | None = Field(
        None,
        description="Signs the links in mails; not given: one that is kept in the store. Several, with spaces"
        " between, while one replaces another: the first signs, each is accepted.",
    )
    link_secret_file: SecretFile | None = None
    link_expires: PositiveDuration = Field(604_800_000, description="How long a link in a mail can be used.")


def link_keys(auth: AuthConfig) -> list[str]:
    """The keys of links, the one that signs first; none where the configuration has none.

    Raises:
        SecretError: the file cannot be read, or what it holds is too short.
    """
    keys = reveal(auth.link_secret, auth.link_secret_file).split()
    if _too_short(keys):
        raise SecretError(f"the secret in {auth.link_secret_file} can be guessed; expected {_EXPECTED}")
    return keys
