"""Is this alert inhibited? Alertmanager's answer, and the guard where alerts inhibit each other in a circle.

`judge` decides about one firing alert. It reads nothing itself: it yields questions to the index of sources
and is sent the answers, so that the store, a dictionary and a simulator are asked alike (`run` drives it with
a function). It does not know groups or time, and does not remember.

The rules are those of `inhibition.py`. To them comes one addition, the guard: of alerts that inhibit each
other in a circle, and that nothing else inhibits, Alertmanager would tell none. Seen as a graph (who inhibits
whom) they are a strongly connected set that no arrow enters. In each such set exactly one alert is released:
of those that nothing else holds, the worst, then the oldest, then the first by key. The others stay
inhibited. Where all of a set are held otherwise, none is released.

So an alert is looked at closer only if all rules that hit it belong to one circle, in which it is a source
too. Then its sources are looked up, and theirs. It stays inhibited as soon as one of them is hit by nothing,
or from elsewhere (then somebody further up is told), or as one of them comes before it, with which it is in a
circle. Both are certain whatever else there is, so a first walk looks at a few sources of each slot; only who
passes it is compared with all. If they are more than `BOUND`, it is released: told rather than lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routing.inhibition import Ask, Inhibited, Released

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from routing.inhibition import Roles, Rules, Slot, Source, Verdict

    Sources = tuple[Source, ...]
    Asking = Generator[tuple[Ask, ...], Mapping[Ask, Sources], Verdict | None]
    Silenced = Callable[[Mapping[str, str]], bool]

FEW: Final = 8
BOUND: Final = 200


def judge(
    rules: Rules, alert: Source, silenced: Silenced, *, roles: Roles | None = None, bound: int = BOUND
) -> Asking:
    """Decides whether a firing alert is inhibited; None if not.

    Yields questions, all of one step together, and expects a mapping that answers each of them; after the
    first step only where the guard looks closer.

    Args:
        rules: the rules in force.
        alert: with the rank and the start with which it is filed: if two alerts of a circle know each other
            otherwise than themselves, neither might be released.
        silenced: whether an alert with these labels is held by a silence or the like, so that it cannot be
            the one that is told. It inhibits others all the same.
        roles: its part in the rules, where that is known.
        bound: if a circle has more alerts than this, it is no longer made out which of them is the first.
    """
    roles = roles or rules.roles(alert.labels)
    if not roles.targets:
        return None
    own = rules.circles_from(roles)
    answers = _Answers(rules.both)
    yield from answers.learn(
        (slot, FEW if rules.circle_of[slot.rule] in own else 1) for slot in roles.targets
    )
    hits = [slot for slot in roles.targets if answers.sources(slot)]
    if not hits:
        return None
    inhibited = Inhibited(hits[0].rule, min(answers.sources(hits[0]), key=_order))
    circles = {rules.circle_of[slot.rule] for slot in hits}
    if len(circles) > 1 or not circles <= own or silenced(alert.labels):
        return inhibited
    walk = _Walk(rules, circles, alert, silenced)
    for limit in (FEW, bound):
        if (yield from walk.settles(answers, limit, bound)):
            return inhibited
        if walk.complete:
            mutual = walk.mutual()
            if len(mutual) < len(walk.seen):
                return inhibited  # by somebody further up that it does not inhibit
            return Released(_why(rules, hits, alert, mutual, silenced))
        if len(walk.seen) > bound:
            break
    return Released(
        f"inhibited in a circle of more than {bound} alerts ({_rules(rules, hits)}), of which none that was "
        "looked at comes first: told rather than lost"
    )


def run(asking: Asking, answer: Callable[[Ask], Sources]) -> Verdict | None:
    """Drives `judge` where each question can be answered at once."""
    try:
        asks = next(asking)
        while True:
            asks = asking.send({ask: answer(ask) for ask in asks})
    except StopIteration as end:
        verdict: Verdict | None = end.value
        return verdict


class _Answers:
    """What the index has answered so far."""

    def __init__(self, both: Sequence[bool]) -> None:
        self._both = both  # of each rule: whether it may have two-sided sources
        self._by_slot: dict[tuple[str, bool], tuple[int, Sources]] = {}  # -> limit, sources

    def learn(
        self, slots: Iterable[tuple[Slot, int]]
    ) -> Generator[tuple[Ask, ...], Mapping[Ask, Sources], None]:
        """Asks for up to so many sources of each slot, unless they are known."""
        asks = tuple(dict.fromkeys(ask for slot, limit in slots for ask in self._missing(slot, limit)))
        if asks:
            answers = yield asks
            for ask in asks:
                self._by_slot[ask.key, ask.two_sided] = ask.limit, answers[ask]

    def _missing(self, slot: Slot, limit: int) -> Iterator[Ask]:
        for kind in self._kinds(slot):
            asked, sources = self._by_slot.get((slot.key, kind), (0, ()))
            if len(sources) >= asked and asked < limit:
                yield Ask(slot.key, kind, limit)

    def sources(self, slot: Slot) -> list[Source]:
        """The sources that count for a target that looks into this slot."""
        return [source for kind in self._kinds(slot) for source in self._by_slot[slot.key, kind][1]]

    def complete(self, slot: Slot) -> bool:
        """Whether these are all of them."""
        found = [self._by_slot[slot.key, kind] for kind in self._kinds(slot)]
        return all(len(sources) < asked for asked, sources in found)

    def _kinds(self, slot: Slot) -> tuple[bool, ...]:
        """The kinds of sources that count for the target, as far as there may be any."""
        return (False, True) if self._both[slot.rule] and not slot.two_sided else (False,)


class _Walk:
    """The way from an alert up to those that inhibit it, and to theirs.

    Attributes:
        seen: all that inhibit the alert through others, and itself, by alert key.
        complete: these are all.
    """

    def __init__(self, rules: Rules, circles: set[int | None], alert: Source, silenced: Silenced) -> None:
        self._rules, self._circles, self._alert, self._silenced = rules, circles, alert, silenced
        self.seen: dict[str, Source] = {}
        self.complete = False

    def settles(
        self, answers: _Answers, limit: int, bound: int
    ) -> Generator[tuple[Ask, ...], Mapping[Ask, Sources], bool]:
        """Walks on until it is certain that the alert is not the one to be told, or nothing more is found."""
        self.seen = {self._alert.alert: self._alert}
        self.complete = True
        look = [self._alert]
        while look and len(self.seen) <= bound:
            targets = [self._rules.roles(one.labels).targets for one in look]
            yield from answers.learn((slot, self._limit(slot, limit)) for slots in targets for slot in slots)
            look = []
            for slots in targets:
                hits = [slot for slot in slots if answers.sources(slot)]
                if not hits or any(self._rules.circle_of[slot.rule] not in self._circles for slot in hits):
                    return True  # one is hit by nothing, or from outside the circle
                self.complete = self.complete and all(answers.complete(slot) for slot in hits)
                look += [one for slot in hits for one in answers.sources(slot) if self._is_new(one)]
            if self._is_beaten():
                return True
        self.complete = self.complete and not look
        return False

    def _limit(self, slot: Slot, limit: int) -> int:
        return limit if self._rules.circle_of[slot.rule] in self._circles else 1

    def _is_new(self, source: Source) -> bool:
        known = self.seen.get(source.alert)
        if known is None or source.order < known.order:
            self.seen[source.alert] = source  # filed in two groups, it may have two starts
        return known is None

    def _is_beaten(self) -> bool:
        """Whether one that may be told comes before the alert, and they are in a circle."""
        own = self.seen[self._alert.alert].order
        better = {
            one.alert for one in self.seen.values() if one.order < own and not self._silenced(one.labels)
        }
        return bool(better) and any(one.alert in better for one in self.mutual())

    def mutual(self) -> list[Source]:
        """Of those seen, which all inhibit the alert through others, those that it inhibits so too."""
        looking: dict[str, list[tuple[Slot, Source]]] = {}
        for one in self.seen.values():
            for slot in self._rules.roles(one.labels).targets:
                looking.setdefault(slot.key, []).append((slot, one))
        reached = {self._alert.alert}
        todo = [self._alert]
        while todo:
            for slot in self._rules.roles(todo.pop().labels).sources:
                for target_slot, target in looking.get(slot.key, ()):
                    if target.alert not in reached and not (slot.two_sided and target_slot.two_sided):
                        reached.add(target.alert)
                        todo.append(target)
        return sorted((self.seen[key] for key in reached), key=_order)


def _order(source: Source) -> tuple[int, int, str]:
    return source.order


def _why(rules: Rules, hits: list[Slot], alert: Source, mutual: list[Source], silenced: Silenced) -> str:
    others = [one for one in mutual if one.alert != alert.alert]
    names = [_called(one) for one in others]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    loud = [one for one in others if not silenced(one.labels)]
    if not loud:
        reason = "the only one that is not silenced"
    elif loud[0].rank > alert.rank:
        reason = "the worst"
    elif loud[0].starts_at > alert.starts_at:
        reason = "the oldest"
    else:
        reason = "one of them must be"
    return (
        f"inhibited in a circle with {shown} ({_rules(rules, hits)}), which nothing else inhibits; "
        f"told as {reason}"
    )


def _called(source: Source) -> str:
    return source.labels.get("alertname") or f"alert {source.alert}"


def _rules(rules: Rules, hits: list[Slot]) -> str:
    return ", ".join(rules.called(slot.rule) for slot in hits)
