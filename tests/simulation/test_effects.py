"""What is different for people between two stories of one alert."""

import pytest

from gateway.simulation.effect_words import sentences
from gateway.simulation.effects import Ring, Way, Who, beside, compare

MIN = 60_000
PAGE = Who("receiver", "page")
DANA = Who("user", "dana")
DB = Who("team", "db")
WEB = Who("team", "web")
PAGER = Way("pagerduty", "events.example.com")
CHAT = Way("slack", "#db")
OTHER = Way("slack", "#web")
MAIL = Way("email", "dana@example.com")


def rings(*told):
    return tuple(Ring(*one) for one in told)


ONCE = rings((PAGE, PAGER, 0))

TABLE = [
    (ONCE, ONCE, []),
    (ONCE, (), ["nobody is told any more", "page: no longer told by PagerDuty, as they were at once"]),
    ((), ONCE, ["page: newly told by PagerDuty, at once"]),
    (ONCE, rings((PAGE, PAGER, 5 * MIN)), ["page: told by PagerDuty after 5 min instead of at once"]),
    (
        rings((PAGE, PAGER, 15 * MIN)),
        rings((PAGE, PAGER, 5 * MIN)),
        ["page: told by PagerDuty after 5 min instead of 15 min"],
    ),
    (
        ONCE,
        rings((PAGE, PAGER, 0), (PAGE, PAGER, 10 * MIN)),
        ["page: told by PagerDuty twice instead of once within 10 min"],
    ),
    (
        rings((PAGE, PAGER, 0), (PAGE, PAGER, 10 * MIN)),
        rings((PAGE, PAGER, 0), (PAGE, PAGER, 20 * MIN)),
        ["page: told by PagerDuty again after 20 min instead of 10 min"],
    ),
    (
        rings((DANA, CHAT, 0)),
        rings((DANA, MAIL, 0)),
        ["dana: told by email dana@example.com instead of Slack #db"],
    ),
    (
        rings((DANA, CHAT, 0)),
        rings((DANA, MAIL, MIN)),
        ["dana: told by email dana@example.com instead of Slack #db, after 1 min instead of at once"],
    ),
    (
        ONCE,
        rings((PAGE, Way("pagerduty", "elsewhere"), 0)),
        ["page: told by another PagerDuty instead of PagerDuty"],
    ),
    (
        rings((DANA, CHAT, 0), (DANA, MAIL, MIN)),
        rings((DANA, CHAT, 0)),
        ["dana: no longer told by email dana@example.com, as they were after 1 min"],
    ),
    (
        rings((DB, CHAT, 0)),
        rings((DB, CHAT, MIN)),
        ["its team: told by Slack after 1 min instead of at once"],
    ),
    (
        rings((DB, CHAT, 0)),
        rings((DB, OTHER, 0)),
        ["its team: told by Slack #web instead of Slack #db"],
    ),
    (
        rings((DB, CHAT, 0)),
        rings((WEB, OTHER, 0)),
        [
            "team db: no longer told by Slack #db, as they were at once",
            "team web: newly told by Slack #web, at once",
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), TABLE)
def test_what_is_different_is_said_by_whom_it_concerns(old, new, said):
    effect = compare(old, new)
    assert list(sentences(effect)) == said
    assert bool(effect) == bool(said)


def test_somebody_is_lost_only_if_nobody_is_told_any_more():
    both = (*ONCE, *rings((DANA, MAIL, 0)))
    assert not compare(both, ONCE).lost
    assert compare(both, ()).lost
    assert not compare((), both).lost


def test_who_is_told_no_longer_is_missing_unless_the_address_is_told_by_another_name():
    both = (*ONCE, *rings((DANA, MAIL, 0)))
    assert compare(both, ONCE).missing == (DANA,)
    assert compare(both, (*ONCE, *rings((DB, MAIL, 0)))).missing == ()
    assert compare(both, (*ONCE, *rings((DANA, MAIL, MIN)))).missing == ()


def test_what_is_the_same_for_every_team_is_one_effect():
    of_db = compare(rings((DB, CHAT, 0)), rings((DB, CHAT, MIN)))
    of_web = compare(rings((WEB, OTHER, 0)), rings((WEB, OTHER, MIN)))
    assert of_db == of_web


def test_two_of_a_team_who_change_places_are_not_the_same():
    lead, manager = Way("email", "lead@example.com"), Way("email", "manager@example.com")
    old = rings((DB, lead, 0), (DB, manager, MIN))
    new = rings((DB, lead, MIN), (DB, manager, 0))
    assert list(sentences(compare(old, new))) == [
        "its team: told by email after 1 min instead of at once",
        "its team: told by another email at once instead of 1 min",
    ]


@pytest.mark.parametrize(
    ("old", "new", "lost", "said"),
    [
        (ONCE, (), False, ["nobody is told of it any more"]),
        (ONCE, (), True, ["nobody is told any more"]),
        ((), ONCE, False, ["people are told of it, as nothing holds it any more"]),
        (ONCE, ONCE, False, []),
    ],
)
def test_beside_another_alert_it_is_held_or_no_longer(old, new, lost, said):
    assert list(sentences(beside(old, new, lost=lost))) == said
