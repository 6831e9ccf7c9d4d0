"""Nobody is on call when a step is due: who is told instead, besides, or later."""

from __future__ import annotations

import pytest
from book import Book

from routing.clocks import Clock, moments
from routing.escalation import carry_out
from routing.incident_records import Incident, Status
from routing.policies import Policy, Step, Target
from routing.telling import Telling
from routing.upcoming import coming_next

MINUTE = 60_000
ON_CALL, CHAT, BOSS, NEXT = (
    Target("schedule", "weekly"),
    Target("team", "slack"),
    Target("user", "boss"),
    Target("user", "next"),
)


def carried_out(uncovered: str, *others: Target, every: int = 0) -> tuple[list[str], list[str], list[int]]:
    """(whom the first step rings, what is said, when something comes next)."""
    first = Step((ON_CALL, *others), uncovered=uncovered, every=every)  # type: ignore[arg-type] - of a table
    policy = Policy("page", (first, Step((NEXT,), 5 * MINUTE)), fallback=(BOSS,))
    book = Book({"page": policy}, covered_at=60 * MINUTE)
    incident = Incident(
        1, Status.TRIGGERED, "r", "", {}, MINUTE, MINUTE, 0, 0, policy="page", clocks=(Clock("page", 0, 0),)
    )
    telling = Telling(0, 1, (), book)
    after = carry_out(incident, 0, telling)
    return (
        list(telling.rings),
        [line.text for line in telling.lines],
        [one.at // MINUTE for one in moments(after, book)],
    )


@pytest.mark.parametrize(
    ("uncovered", "others", "rung", "coming"),
    [
        ("next", (), ["user: next"], []),
        ("next", (CHAT,), ["team: slack"], [5]),
        ("fallback", (), ["user: boss"], [5]),
        ("fallback", (CHAT,), ["team: slack", "user: boss"], [5]),
        ("fallback", (CHAT, BOSS), ["team: slack", "user: boss"], [5]),
        ("wait", (), [], [1, 5]),  # it is asked again each minute: somebody may take over
        ("wait", (CHAT,), ["team: slack"], [5, 60]),
    ],
)
def test_who_is_told_where_nobody_is_on_call(
    uncovered: str, others: tuple[Target, ...], rung: list[str], coming: list[int]
) -> None:
    found, _, times = carried_out(uncovered, *others)
    assert (found, times) == (rung, coming)


def test_a_step_that_is_said_again_needs_no_other_waiting() -> None:
    assert carried_out("wait", CHAT, every=15 * MINUTE)[2] == [5, 15]


@pytest.mark.parametrize("uncovered", ["next", "fallback", "wait"])
@pytest.mark.parametrize("others", [(), (CHAT,)])
def test_it_is_said_that_nobody_is_on_call(uncovered: str, others: tuple[Target, ...]) -> None:
    said = carried_out(uncovered, *others)[1]
    assert any("nobody is on call in weekly" in line for line in said)


@pytest.mark.parametrize(
    ("uncovered", "others", "said"),
    [
        ("next", (), "step 1: nobody"),
        ("next", (CHAT,), "step 1: team: slack"),
        ("fallback", (), "step 1: user: boss"),
        ("fallback", (CHAT, BOSS), "step 1: team: slack, user: boss"),
        ("wait", (), "step 1: whoever is on call then"),
    ],
)
def test_what_comes_next_names_whoever_would_be_told(
    uncovered: str, others: tuple[Target, ...], said: str
) -> None:
    policy = Policy("page", (Step((ON_CALL, *others), uncovered=uncovered),), fallback=(BOSS,))  # type: ignore[arg-type] - of a table
    incident = Incident(
        1, Status.TRIGGERED, "r", "", {}, MINUTE, MINUTE, 0, 0, policy="page", clocks=(Clock("page", 9, 9),)
    )
    assert coming_next(incident, Book({"page": policy}, covered_at=60 * MINUTE)) == (said, 9)
