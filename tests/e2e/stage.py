"""A pair of Alertmanagers, and Tocsins that all hear it, each with people of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from programs import ask
from waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from alertmanagers import Pair, Wire
    from audience import Audience
    from programs import Tocsin

Story = dict[str, list[Any]]

# What each gets at each turn of the story; the lists add up.
BEGINS = {
    "phone": [("ring", "#1")],
    "channel": [("post", "🔴 A")],
    "mailbox": [("firing", "#1")],
    "machine": [("ring", "#1", "A", "")],
}
GROWS = {
    "phone": [("update", "#1")],
    "channel": [("reply", "🔴 A, B"), ("edit", "🔴 A, B")],
    "mailbox": [("firing", "#1")],
    "machine": [("ring", "#1", "AB", "")],
}
SHRINKS = {
    "phone": [("update", "#1")],
    "channel": [("edit", "🔴 A, B")],
    "mailbox": [],
    "machine": [("update", "#1", "B", "A")],
}
ENDS = {
    "phone": [("resolve", "#1")],
    "channel": [("edit", "✅ B")],
    "mailbox": [("resolved", "#1")],
    "machine": [("end", "#1", "", "B")],
}
ONLY_A_ENDS = ENDS | {"channel": [("edit", "✅ A")], "machine": [("end", "#1", "", "A")]}
AGAIN = {
    "phone": [("ring", "#2")],
    "channel": [("post", "🔴 A")],
    "mailbox": [("firing", "#2")],
    "machine": [("ring", "#2", "A", "")],
}
AGAIN_ENDS = {
    "phone": [("resolve", "#2")],
    "channel": [("edit", "✅ A")],
    "mailbox": [("resolved", "#2")],
    "machine": [("end", "#2", "", "A")],
}


class Stage:
    """The pair, and some Tocsins that all get what it sends, each with an audience of its own."""

    def __init__(
        self, pair: Pair, wires: list[Wire], audiences: dict[str, Audience], tocsins: dict[str, Tocsin]
    ) -> None:
        self.pair = pair
        self.wires = wires
        self.tocsins = tocsins
        self.audiences = audiences
        self._story: Story = {"phone": [], "channel": [], "mailbox": [], "machine": []}

    async def all_hear(self, more: Story) -> None:
        """Every audience has got the story so far and `more`, and nothing else."""
        self._story = {who: self._story[who] + more[who] for who in self._story}
        await until(lambda: all(self._told(a) for a in self.audiences.values()), f"{more} at all", self.seen)
        self.nothing_else()

    def nothing_else(self) -> None:
        """Nobody has got more than the story."""
        for name, audience in self.audiences.items():
            assert audience.everything() == self._story, f"with the store {name}"

    def nothing_is_wrong(self) -> None:
        """Every post was taken, and no Tocsin logged an error."""
        assert {status for wire in self.wires for status in wire.statuses} == {200}
        assert [event for tocsin in self.tocsins.values() for event in tocsin.troubles()] == []

    async def metrics(self, name: str) -> str:
        """What that Tocsin counts."""
        status, text = await ask(f"{self.tocsins[name].url}/metrics")
        assert status == 200, text
        return text

    def _told(self, audience: Audience) -> bool:
        heard = audience.everything()
        return all(len(heard[who]) >= len(self._story[who]) for who in heard)

    def seen(self) -> str:
        told = [f"{name}: {audience.everything()}" for name, audience in self.audiences.items()]
        return "\n".join([*told, *(str([(s, b["status"]) for s, b in wire.carried]) for wire in self.wires)])

    @asynccontextmanager
    async def both_sending(self) -> AsyncIterator[None]:
        """What happens in here is sent by both: the second never learns in time that the first was done."""
        before = [len(wire.carried) for wire in self.wires]
        for wire in self.wires:
            wire.close("answers")
        yield
        await until(
            lambda: all(w.senders(n) == {"a", "b"} for w, n in zip(self.wires, before, strict=True)),
            "posts of both Alertmanagers",
            self.seen,
        )
        for wire in self.wires:
            wire.open("answers")
