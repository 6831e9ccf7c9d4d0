"""A recorded decision can be read again, made again, said in words, and compared with what it would be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from book import Book

from routing.calendar import Quiet
from routing.clocks import begin
from routing.events import (
    Acknowledged,
    Adopted,
    Due,
    Escalated,
    Event,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.incident import decide
from routing.incident_records import Ack, Group, Incident, Status, Told
from routing.policies import Policy, Step, Target
from routing.recorded import Recorded, decided, from_json, replayed, to_json
from routing.why import Tells, differences, happened, seen, status_of, tells

MIN = 60_000
T = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
PAGE = Policy(
    "page",
    (
        Step((Target("receiver", "ops"),)),
        Step((Target("user", "dana"),), after=5 * MIN),
        Step((Target("receiver", "board"),), after=15 * MIN, unless="resolved"),
    ),
    ack_timeout=30 * MIN,
)
BOOK = Book({"page": PAGE})
PENDING = Incident(
    number=0, status=Status.PENDING, route="{}", receiver="policy:page", labels={"alertname": "Down"},
    group_interval=5 * MIN, repeat_interval=60 * MIN, opened_at=T, opened_rev=0, tick=T, gid="g",
    policy="page",
)  # fmt: skip
OPEN = replace(
    PENDING, number=7, status=Status.TRIGGERED, triggered_at=T, tick=T + 5 * MIN, considered=1, firing=1,
    rank=0, severity="critical", clocks=(replace(begin("page", T, BOOK), done=(0,), last=("7.0",)),),
)  # fmt: skip
ACKNOWLEDGED = replace(OPEN, status=Status.ACKNOWLEDGED, ack=Ack("dana", "Slack", T + MIN, T + 31 * MIN))
OVER = replace(OPEN, status=Status.RESOLVED, resolved_at=T + 9 * MIN, closed_rev=2, firing=0)
GROUP = Group(1, 1, 0, 1, 0, 0, worst="critical")
OPS = Told(
    "7.0", ends=True, wanted=1, sent=1, ring_wanted=1, ring_sent=1, rung=1, sent_at=T, place="receiver: ops",
    ring_at=T, rung_by="page",
)  # fmt: skip
WHY = "step 2: nobody has acknowledged for 5 min"
NAMES = {"7.0": "ops by Slack"}


def name(at: str) -> str:
    return NAMES.get(at, at.replace(": ", " "))


def record(
    incident: Incident = OPEN,
    event: Event | None = None,
    after: int = 5 * MIN,
    group: Group = GROUP,
    told: tuple[Told, ...] = (OPS,),
) -> Recorded:
    event = event or Due()
    made = decide(incident, event, T + after, group, told, book=BOOK)
    return Recorded(T + after, event, incident, group, told, "0123456789ab", decided(made))


EVENTS: dict[str, tuple[Recorded, str]] = {
    "begins": (
        record(PENDING, Due(late=4), 0, told=()),
        "the wait of its group was over",
    ),
    "step": (record(), "step 2 was due and a tick of its group"),
    "late": (record(event=Due(late=90_000)), "step 2 was due and a tick of its group, 1 min late"),
    "news": (record(after=MIN, group=replace(GROUP, seq=2)), "something was new"),
    "nothing": (record(after=MIN), "it was looked at"),
    "tick with news": (
        record(after=5 * MIN, group=replace(GROUP, seq=2, firing=2, fired_rev=2)),
        "step 2 was due and a tick of its group, with news",
    ),
    "ack ends": (
        record(replace(ACKNOWLEDGED, tick=T + 40 * MIN), after=31 * MIN),
        "step 3 was due and the acknowledgement ended",
    ),
    "fires again": (record(OVER, after=10 * MIN), "it fired again"),
    "after its end": (
        record(OVER, after=10 * MIN, group=replace(GROUP, firing=0)),
        "it was looked at after its end",
    ),
    "ack": (record(event=Acknowledged("dana", "Slack")), "dana (Slack) acknowledged it"),
    "snooze": (
        record(event=Acknowledged("dana", "", T + 20 * MIN)),
        "dana acknowledged it, until 2023-11-14 22:33:20 UTC",
    ),
    "unack": (record(ACKNOWLEDGED, Unacknowledged("dana", "HTTP")), "dana (HTTP) gave it back"),
    "resolve": (record(event=Resolved("dana", "PagerDuty")), "dana (PagerDuty) resolved it"),
    "escalate": (record(event=Escalated("dana", "Slack")), "dana (Slack) wanted the next step"),
    "reassign": (
        record(event=Reassigned("dana", "Slack", Target("user", "lee"))),
        "dana (Slack) reassigned it to user: lee",
    ),
    "hand over": (
        record(event=Reassigned("dana", "Slack", policy="page")),
        "dana (Slack) reassigned it to policy page",
    ),
    "respond": (
        record(event=ResponderAdded("dana", "Slack", Target("user", "lee"))),
        "dana (Slack) wanted user: lee to be told too",
    ),
    "note": (record(event=Noted("dana", "Slack", "so it is")), "dana (Slack) noted something"),
    "adopted": (
        record(event=Adopted("new", "policy:page", "page", "", 5 * MIN, 60 * MIN)),
        "a change of the configuration put it under the route new",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "said"), EVENTS.values(), ids=list(EVENTS))
def test_what_happened_is_said_and_read_again_as_it_was_recorded(one: Recorded, said: str) -> None:
    assert from_json(json.loads(json.dumps(to_json(one)))) == one
    assert happened(one, BOOK) == said


@pytest.mark.parametrize("one", [one for one, _ in EVENTS.values()], ids=list(EVENTS))
def test_by_the_same_book_it_is_decided_the_same_again(one: Recorded) -> None:
    assert replayed(one, BOOK, None) == one.decided
    assert differences(one, replayed(one, BOOK, None), name) == []


def test_whom_a_decision_tells_is_said_with_the_step_that_wants_it() -> None:
    one = record()
    assert tells(one, one.decided, name)[-1] == Tells("user dana", "user: dana", "ring", WHY, "page", 2)
    end = record(group=Group(2, 0, 1, 0, 2, 0))
    assert [(each.who, each.heard) for each in tells(end, end.decided, name)] == [("ops by Slack", "end")]


COUNTED: dict[str, tuple[Recorded, str]] = {
    "first": (record(PENDING, told=(), after=0), "1 firing; worst severity critical; nobody told yet"),
    "held": (
        record(group=Group(3, 0, 2, 0, 2, 7, held=4)),
        "0 firing; 4 held; 2 ended; 1 delivery: 1 told",
    ),
    "quiet": (
        record(event=Due("at night"), told=(OPS, replace(OPS, id="7.1", state="dead"))),
        "1 firing; worst severity critical; quiet: at night; 2 deliveries: 2 told, 1 dead",
    ),
    "on its way": (
        record(told=(replace(OPS, sent=0, ring_sent=0),)),
        "1 firing; worst severity critical; 1 delivery: 0 told, 1 still to be rung",
    ),
}


@pytest.mark.parametrize(("one", "said"), COUNTED.values(), ids=list(COUNTED))
def test_what_was_counted_is_said(one: Recorded, said: str) -> None:
    assert seen(one) == said


def page(*steps: Step) -> Book:
    return Book({"page": replace(PAGE, steps=steps)})


DIFFERENT: dict[str, tuple[Book, Quiet | None, list[str]]] = {
    "another is told": (
        page(PAGE.steps[0], replace(PAGE.steps[1], notify=(Target("user", "lee"),)), PAGE.steps[2]),
        None,
        [
            "user lee would get a ring too",
            "user dana would get no ring",
            "the timeline would say: step 2: telling user: lee: nobody has acknowledged for 5 min",
            "the timeline would not say: step 2: telling user: dana: nobody has acknowledged for 5 min",
        ],
    ),
    "the step comes later": (
        page(PAGE.steps[0], replace(PAGE.steps[1], after=6 * MIN), PAGE.steps[2]),
        None,
        [
            "user dana would get no ring",
            "it would come due again at 2023-11-14 22:19:20 UTC, not at 2023-11-14 22:28:20 UTC",
            "the timeline would not say: step 2: telling user: dana: nobody has acknowledged for 5 min",
        ],
    ),
    "a quiet time": (
        BOOK,
        Quiet("at night", T + 60 * MIN),
        [
            "user dana would get no ring",
            "it would come due again at 2023-11-14 22:23:20 UTC, not at 2023-11-14 22:28:20 UTC",
            "the timeline would say: nobody is told now: at night",
            "the timeline would not say: step 2: telling user: dana: nobody has acknowledged for 5 min",
        ],
    ),
}


@pytest.mark.parametrize(("book", "quiet", "said"), DIFFERENT.values(), ids=list(DIFFERENT))
def test_what_would_be_decided_otherwise_today_is_said(
    book: Book, quiet: Quiet | None, said: list[str]
) -> None:
    one = record()
    assert differences(one, replayed(one, book, quiet), name) == said


def test_what_somebody_said_is_not_kept_quiet_by_an_interval() -> None:
    one = record(event=Acknowledged("dana", "Slack"))
    assert replayed(one, BOOK, Quiet("at night", None)) == one.decided


def test_a_change_of_status_is_named() -> None:
    begins, answered, closed = (
        record(PENDING, told=(), after=0),
        record(event=Acknowledged("dana", "Slack")),
        record(PENDING, told=(), after=0, group=replace(GROUP, firing=0, ended=1)),
    )
    found = [status_of(one.incident, one.decided) for one in (begins, answered, closed, record())]
    assert found == ["pending → triggered", "triggered → acknowledged", "pending → closed", "triggered"]
    assert differences(answered, record().decided, name)[0] == "it would be triggered, not acknowledged"


def test_what_would_not_come_due_again_is_no_time() -> None:
    one = record()
    never = replace(one.decided, deadline=None)
    assert differences(one, never, name) == [
        "it would not come due again, as it did at 2023-11-14 22:28:20 UTC"
    ]
    assert differences(replace(one, decided=never), one.decided, name) == [
        "it would come due again at 2023-11-14 22:28:20 UTC"
    ]


def test_only_a_look_after_which_nothing_followed_is_idle_and_its_record_begins_so() -> None:
    idle = {which for which, (one, _) in EVENTS.items() if one.idle}
    assert idle == {"nothing", "news", "after its end"}
    assert json.dumps(to_json(record(after=MIN)), separators=(",", ":")).startswith('{"idle":true,')


def test_what_a_newer_version_has_added_is_left_out_and_another_schema_refused() -> None:
    made = to_json(record())
    made["told"][0]["new"] = made["group"]["new"] = made["event"]["new"] = 1
    assert from_json(made | {"new": 1}) == record()
    with pytest.raises(ValueError, match="this version reads 1"):
        from_json(made | {"schema": 2})
