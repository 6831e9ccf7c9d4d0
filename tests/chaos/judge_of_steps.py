"""The judge of escalation: whoever a policy says is rung was rung, and nobody was whom an answer spared.

It knows the policies, the answers and what was heard; what must be heard walks `walked_policies.py`. A story
is right if what was heard of it fits one of the courses that it can have taken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from walked_policies import Walker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plain_policies import Course, Lateness, Policy, Ring, Story


@dataclass(frozen=True)
class Heard:
    """One message about a story: whom it told, when, and since when it was certainly on its way (ms)."""

    at: float
    who: str
    kind: Literal["ring", "update", "end"]
    began: float


@dataclass
class Finding:
    """What the judge saw, of one story or of all; `wrong` is empty where every promise was kept."""

    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.seen.items()))
        return f"{counts}, {len(self.wrong)} wrong"


class Judge:
    """Of stories under some policies. `wire`: how long a message may be on its way (ms)."""

    def __init__(self, policies: Mapping[str, Policy], lateness: Lateness, wire: float = 0) -> None:
        self.walker = Walker(policies, lateness)
        self.lateness = lateness
        self.wire = wire

    def all(self, stories: Sequence[Story], heard: Mapping[str, Sequence[Heard]]) -> Finding:
        """Of all stories; `heard` by the story's name."""
        whole = Finding()
        for story in stories:
            one = self.one(story, heard.get(story.name, ()))
            whole.wrong += [f"{story.name} ({story.policy}): {line}" for line in one.wrong]
            whole.seen += one.seen + Counter(stories=1)
        strangers = set(heard) - {story.name for story in stories}
        whole.wrong += [f"heard of {name}, which never fired" for name in strangers]
        return whole

    def one(self, story: Story, heard: Sequence[Heard]) -> Finding:
        """The best that can be said of one story."""
        try:
            courses = list(self.walker.courses(story))
        except OverflowError:
            return Finding(self._ends(heard, story).wrong, Counter(undecided=1))
        if not courses:
            return Finding(["no course fits the answers that were given"])
        found = [self._of_course(course, story, heard) for course in courses]
        best = min(found, key=lambda one: len(one.wrong))
        ends = self._ends(heard, story)
        best.wrong += ends.wrong
        best.seen += ends.seen
        best.seen["answers"] += len(story.answers) - 1
        best.seen["stories with more than one course"] += len(courses) > 1
        return best

    def _of_course(self, course: Course, story: Story, heard: Sequence[Heard]) -> Finding:
        finding = Finding()
        rings: dict[str, list[Ring]] = defaultdict(list)
        for ring in course.rings:
            rings[ring.who].append(ring)
        told = defaultdict(list)
        for one in sorted(heard, key=lambda one: one.at):
            if one.kind == "ring":
                told[one.who].append(one)
        zero = story.fired.lo
        for who in sorted({*rings, *told}):
            self._of_target(who, rings[who], told[who], zero, finding)
        return finding

    def _of_target(
        self, who: str, rings: list[Ring], told: list[Heard], zero: float, finding: Finding
    ) -> None:
        for ring in rings:
            kept = any(ring.at.lo <= one.at <= ring.by_then for one in told)
            if ring.certain:
                finding.seen["rings that must be heard"] += 1
                if not kept:
                    due = f"{ring.at.lo - zero:.0f}..{ring.at.hi - zero:.0f}"
                    times = [round(one.at - zero) for one in told]
                    finding.wrong.append(
                        f"{who} was to be rung at {due} by {ring.by_then - zero:.0f} ms (unless "
                        f"{ring.unless}, {ring.policy}), was rung at {times}"
                    )
            else:
                finding.seen["rings that an answer may have spared"] += 1
        left = sorted(rings, key=lambda ring: ring.at.hi)
        first: dict[int, float] = {}
        for one in told:
            finding.seen["rings heard"] += 1
            fits = [ring for ring in rings if self._fits(one, ring)]
            new = next((ring for ring in left if ring in fits), None)
            if new is not None:
                left.remove(new)
                first[id(new)] = one.at
                finding.seen["of them on the wire when answered"] += one.at > new.dropped
            elif not fits:
                finding.wrong.append(f"{who} was rung at {one.at - zero:.0f} ms without reason")
            elif any(self.lateness.lost(first.get(id(ring), ring.at.lo), one.at) for ring in fits):
                finding.seen["rings repeated after a death"] += 1
            else:
                finding.wrong.append(f"{who} was rung twice, at {one.at - zero:.0f} ms, and nobody had died")

    def _fits(self, one: Heard, ring: Ring) -> bool:
        """It can be this ring, or a repeat of it: not before its time, nor begun after it became needless."""
        return ring.at.lo <= one.at <= ring.by_then + self.wire and one.began <= ring.dropped + self.wire

    def _ends(self, heard: Sequence[Heard], story: Story) -> Finding:
        """Who was rung hears of the end, once and last; who was not hears nothing."""
        finding = Finding()
        by_target: dict[str, list[Heard]] = defaultdict(list)
        for one in sorted(heard, key=lambda one: one.at):
            by_target[one.who].append(one)
        over = min(one.at.lo for one in story.answers if one.verb in ("resolve", "end"))
        for who, told in by_target.items():
            kinds = [one.kind for one in told]
            lost = self.lateness.lost(story.fired.lo, told[-1].at)
            ends = kinds.count("end")
            finding.seen["ends"] += ends
            if not ends:
                finding.wrong.append(f"{who} never heard of the end: {kinds}")
            elif kinds.index("end") < len(kinds) - ends:
                late = [one.at for one in told[kinds.index("end") :] if one.kind != "end"]
                if not any(self.lateness.lost(told[kinds.index("end")].at - 1, at) for at in late):
                    finding.wrong.append(f"{who} heard something after the end: {kinds}")
            if ends and told[kinds.index("end")].at < over:
                finding.wrong.append(f"{who} heard of the end before it")
            if ends > 1 and not lost:
                finding.wrong.append(f"{who} heard of the end {ends} times, and nobody had died")
            if kinds[0] != "ring" and not lost:
                finding.wrong.append(f"{who} was never rung, and heard {kinds}")
        return finding
