"""A file of routing tests as it was read: what happens in each test, and what is expected of it. Only data.

`test_reader.py` reads it, `expectations.py` judges. Times inside a test are milliseconds after its first
firing, with which it begins; those of `Case.at` are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.document import Document
    from config.problems import Path as Place
    from routing.delivery import Kind
    from routing.matchers import Matcher

Verb = Literal["ack", "unack", "resolve", "snooze", "escalate"]
NameKind = Literal["receiver", "user", "team", "slack", "mail", "webhook", "pagerduty"]


# --- what happens ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the file something stands: `line` and `column` count from 1, `path` from the top."""

    line: int
    column: int
    path: Place


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that begins to fire at `at`, and stops `fires` later; None: never."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    at: int
    fires: int | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Response:
    """What `by` does at `at`. `lasts`: a snooze's length, else 0. `incident` 0: all that are open."""

    at: int
    verb: Verb
    by: str
    lasts: int
    incident: int
    spot: Spot


@dataclass(frozen=True, slots=True)
class Silenced:
    """A silence from `at` on; `lasts` None: to the end."""

    matchers: tuple[Matcher, ...]
    at: int
    lasts: int | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Failing:
    """A service, receiver or user `what` that takes nothing from `at` on; `lasts` None: to the end."""

    what: str
    at: int
    lasts: int | None
    refused: bool
    spot: Spot


@dataclass(frozen=True, slots=True)
class Overridden:
    """These `users` are on call of a schedule from `at` on; `lasts` None: to the end."""

    schedule: str
    users: tuple[str, ...]
    at: int
    lasts: int | None
    spot: Spot


# --- what is expected -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """Who is told, as a test names them: `written` is `slack:#db`, so `kind` slack and `name` #db."""

    written: str
    kind: NameKind
    name: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Expectation:
    """All of `told` (of `expect_not`: none of them) are told between `since` and `until`, both counted in.

    Attributes:
        since, until: ms; until None: to the end of the story.
        kind: by a ring, an update, or the end.
        text: what the message has to contain; "" for anything.
        recorded: it says what is, not what should be (its own mark, or its test's).
    """

    told: tuple[Name, ...]
    since: int
    until: int | None
    kind: Kind
    text: str
    recorded: bool
    spot: Spot


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody at all is rung between `since` and `until`, None for the end."""

    since: int
    until: int | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Names:
    """Exactly these: routes that alerts belong to, by key, or inhibition rules that held them."""

    names: tuple[str, ...]
    spot: Spot


# --- the whole -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """One test, or one line of its `examples:`.

    Attributes:
        name: as shown: unique in its file.
        test: the test's name as written, the same for all its examples.
        example: the number of the example, from 1; 0 where there are none.
        at: when the first alert fires, ms since the epoch.
        until: to which the story is told; None: as long as anything follows.
        recorded: the whole test says what is.
        spot: of the test in the file.
    """

    name: str
    test: str
    example: int
    at: int
    alerts: tuple[Firing, ...]
    spot: Spot
    answers: tuple[Response, ...] = ()
    silences: tuple[Silenced, ...] = ()
    failures: tuple[Failing, ...] = ()
    overrides: tuple[Overridden, ...] = ()
    until: int | None = None
    expect: tuple[Expectation, ...] = ()
    expect_not: tuple[Expectation, ...] = ()
    silent: Silent | None = None
    route: Names | None = None
    inhibited_by: Names | None = None
    recorded: bool = False

    @property
    def texts(self) -> bool:
        """Whether anything is expected of a message's words, so that they have to be rendered."""
        return any(one.text for one in (*self.expect, *self.expect_not))


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of tests. `config` is the file of the configuration, found from the test file's folder.

    Attributes:
        zone: the time zone of times without an offset.
        document: the file as written, with the place of everything in it.
    """

    file: Path
    config: Path
    zone: str
    cases: tuple[Case, ...]
    document: Document = field(repr=False, compare=False)
