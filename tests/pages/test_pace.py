"""How often the same one may come."""

from __future__ import annotations

from gateway.web.pace import REMEMBERED, Pace


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_come_in_a_stretch_of_time_and_the_others_are_told_when():
    clock = Clock()
    pace = Pace(2, 60, clock)
    assert [pace.wait("a"), pace.wait("a"), pace.wait("b")] == [0, 0, 0]
    clock.now += 15
    assert [pace.wait("a"), pace.wait("a"), pace.wait("b")] == [45, 45, 0]
    clock.now += 45
    assert pace.wait("a") == 0


def test_many_strangers_fill_no_memory_and_hide_nobody_who_comes_all_the_time():
    pace = Pace(2, 60, Clock())
    waits = []
    for stranger in range(3 * REMEMBERED):
        pace.wait(stranger)
        if stranger % 1_000 == 0:
            waits.append(pace.wait("a"))
    assert waits[:2] == [0, 0]
    assert all(wait > 0 for wait in waits[2:])
    assert len(pace._counted) <= REMEMBERED + 1
