"""Which events a message takes, and under which keys; what breaks off leaves nothing open, nobody unheard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receivers.pagerduty_keys import Opened, ring_key, ring_of, steps
from routing.incident_records import Ack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from receivers.base import Message

    MakeMessage = Callable[..., Message]

NOW = 1_795_011_480_000  # of the messages that are made


def done(message: Message, memory: Mapping[str, Any], shown: str = "a") -> tuple[list[str], dict[str, Any]]:
    """What is sent, and what is remembered if all of it arrives."""
    opened, sent = Opened.remembered(memory, message.dedup_key), []
    for step in steps(message, shown, memory):
        sent.append(f"{step.action} {step.key}")
        opened = step.then
    return sent, opened.memory()


def heard(ring: int, **more: Any) -> dict[str, Any]:
    """The memory of an incident whose ring has arrived."""
    key = ring_key("c0ffee", ring)
    return {"incident": 1042, "key": key, "ring": ring, "since": NOW, "shown": "a"} | more


@pytest.mark.parametrize(
    ("ring", "memory", "expected"),
    [
        (1, {}, ["trigger c0ffee"]),
        (2, heard(1), ["trigger c0ffee:2", "resolve c0ffee"]),
        (5, heard(2), ["trigger c0ffee:5", "resolve c0ffee:2"]),
        (2, heard(2, old=("c0ffee",)), ["resolve c0ffee"]),
        (2, heard(1, unknown=True), ["trigger c0ffee:2", "resolve c0ffee"]),
        (
            3,
            heard(1, unknown=True),
            ["trigger c0ffee:3", "resolve c0ffee", "resolve c0ffee:2"],
        ),
        (1, heard(3) | {"incident": 1041}, ["trigger c0ffee", "resolve c0ffee:3"]),
        (1, heard(1) | {"incident": 1041}, ["resolve c0ffee", "trigger c0ffee"]),
        (2, {"incident": 1042}, ["trigger c0ffee:2", "resolve c0ffee"]),
    ],
    ids=["first", "second", "later", "only the older is left", "a lost answer", "two lost answers",
         "the last incident's end is not told", "and has the same key", "of an older version"],
)  # fmt: skip
def test_a_ring_under_a_policy_is_triggered_anew_and_then_what_was_open_is_resolved(
    make_message: MakeMessage, ring: int, memory: dict[str, Any], expected: list[str]
) -> None:
    assert done(make_message(escalates=True, ring=ring), memory)[0] == expected


def test_a_plain_receivers_repeats_keep_the_key_until_what_is_open_was_acknowledged(
    make_message: MakeMessage,
) -> None:
    repeated, memory = done(make_message(ring=2), heard(1))
    assert (repeated, memory["since"]) == (["trigger c0ffee"], NOW)
    for acked in ({"acked": NOW}, {"theirs": "c0ffee"}):
        sent, memory = done(make_message(ring=3), heard(1) | acked)
        assert (sent, memory["key"]) == (["trigger c0ffee:3", "resolve c0ffee"], "c0ffee:3")
    assert done(make_message(ring=4), memory)[0] == ["trigger c0ffee:3"]


def ack(make_message: MakeMessage, at: int = NOW, **changes: Any) -> Message:
    given = Ack(by="dana", via="Slack", at=at)
    return make_message(kind="update", escalates=True, acknowledged=given, **changes)


@pytest.mark.parametrize(
    ("memory", "shown", "expected"),
    [
        (heard(1), "a", ["acknowledge c0ffee"]),
        (heard(1), "b", ["acknowledge c0ffee", "trigger c0ffee"]),
        (heard(3, old=("c0ffee",)), "a", ["acknowledge c0ffee:3", "resolve c0ffee"]),
        (heard(1, acked=NOW), "a", []),
        (heard(1, acked=NOW - 1), "a", ["acknowledge c0ffee"]),
        (heard(1, theirs="c0ffee"), "a", []),
        (heard(2, theirs="c0ffee"), "a", ["acknowledge c0ffee:2"]),
        (heard(1, since=NOW + 1), "a", []),
        ({"unknown": True}, "a", ["acknowledge c0ffee"]),
        (heard(1, incident=1041), "a", ["resolve c0ffee"]),
    ],
    ids=["once", "and what has changed", "older keys too", "sent already", "a newer one", "from there",
         "there under an older key", "older than the ring", "the ring may have arrived", "never rung"],
)  # fmt: skip
def test_an_acknowledgement_is_sent_once_for_each_key_that_was_rung_before_it(
    make_message: MakeMessage, memory: dict[str, Any], shown: str, expected: list[str]
) -> None:
    assert done(ack(make_message), memory, shown)[0] == expected


def test_a_ring_that_an_acknowledgement_does_not_stop_is_not_acknowledged_by_a_later_update(
    make_message: MakeMessage,
) -> None:
    acked = ack(make_message)
    ring = replace(acked, kind="ring", ring=2, now=NOW + 1)
    sent, memory = done(ring, heard(1, acked=NOW))
    assert sent == ["trigger c0ffee:2", "resolve c0ffee"]
    assert done(replace(acked, ring=2), memory, "b")[0] == ["trigger c0ffee:2"]


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (heard(2), ["resolve c0ffee:2"]),
        (heard(3, old=("c0ffee",)), ["resolve c0ffee:3", "resolve c0ffee"]),
        (heard(1, unknown=True), ["resolve c0ffee", "resolve c0ffee:3", "resolve c0ffee:2"]),
        ({"unknown": True}, ["resolve c0ffee:3", "resolve c0ffee:2", "resolve c0ffee"]),
    ],
)
def test_the_end_resolves_all_that_may_be_open(
    make_message: MakeMessage, memory: dict[str, Any], expected: list[str]
) -> None:
    sent, remembered = done(make_message(kind="end", escalates=True, ring=3), memory)
    assert (sent, remembered.get("old", ())) == (expected, ())


@given(base=st.text(min_size=1, max_size=400), ring=st.integers(1, 10**6))
def test_a_key_tells_its_ring_and_fits(base: str, ring: int) -> None:
    key = ring_key(f"tocsin-{base.replace(':', '')}", ring)
    assert (len(key) <= 255, ring_of(key)[1]) == (True, ring)


@given(
    kinds=st.lists(st.sampled_from(["ring", "update", "ack"]), min_size=1, max_size=8),
    breaks=st.lists(st.integers(0, 4), max_size=8),
    forgets=st.lists(st.booleans(), min_size=8, max_size=8),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_breaks_off_every_ring_sounds_and_the_end_leaves_nothing_open(
    make_message: MakeMessage, kinds: list[str], breaks: list[int], forgets: list[bool]
) -> None:
    """Each attempt may break off after some of its steps, and a crash forgets what was to be remembered."""
    there = There(make_message(escalates=True, ring=0))
    for at, kind in enumerate(kinds):
        there.goes_on(kind)
        sounds = there.sounds
        if at < len(breaks):
            there.attempt(stop=breaks[at], forget=forgets[at])
            if breaks[at] == 4:
                continue  # given up: the next message says it all
        there.attempt()
        if kind == "ring":
            assert (there.sounds > sounds, len(there.open)) == (True, 1)
    there.goes_on("end")
    there.attempt()
    assert there.open == set()


class There:
    """PagerDuty as one delivery sees it, and what that delivery is to say."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.memory: dict[str, Any] = {}
        self.open: set[str] = set()
        self.sounds = 0

    def goes_on(self, kind: str) -> None:
        now = self.message.now + 1
        self.message = replace(self.message, kind="update" if kind == "ack" else kind, now=now)
        if kind == "ack":
            self.message = replace(self.message, acknowledged=Ack("dana", "Slack", now))
        if kind == "ring":
            self.message = replace(self.message, ring=self.message.ring + 1)

    def attempt(self, stop: int = 99, *, forget: bool = False) -> None:
        if self.message.ring == 0:  # it was never rung
            return
        opened = Opened.remembered(self.memory)
        for at, step in enumerate(steps(self.message, str(self.message.now), self.memory)):
            self.take(step.action, step.key)
            if at == stop:  # it arrived, and the answer did not
                if step.action == "trigger":
                    opened = opened.after_unknown(self.message)
                self.memory = (self.memory if forget else opened.memory()) | {"unknown": True}
                return
            opened = step.then
        self.memory = opened.memory()

    def take(self, action: str, key: str) -> None:
        if action == "trigger":
            self.sounds += key not in self.open
            self.open.add(key)
        elif action == "resolve":
            self.open.discard(key)
