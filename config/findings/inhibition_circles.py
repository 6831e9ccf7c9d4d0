"""Inhibition rules through which alerts inhibit each other in a circle."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.inhibition_cases import chain
from routing.satisfiable import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from routing.inhibition import Rule

MAX_STARTS: Final = 20  # rules of a set from which a circle is looked for
MAX_STEPS: Final = 2_000

CIRCLE: Final = Code(
    "TOC201",
    "inhibition-circle",
    "warning",
    "Alerts that inhibit each other",
    found="Rules through which alerts can inhibit each other in a circle: one inhibits the next, and the "
    "last the first.",
    bad="When all of them fire, each is inhibited by another, and Alertmanager tells nobody of any: the "
    "worse the outage, the deeper the silence. Tocsin tells of the worst of them and says why, but which "
    "one that is, is not what the rules say.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity=~"critical|high"]
          - source_matchers: [alertname="CoordinationFailure"]
            target_matchers: ['alertname=~"System.*"']
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity=~"critical|high"]
          - source_matchers: [alertname="CoordinationFailure"]
            target_matchers: ['alertname=~"System.*"', alertname!="SystemDown"]
        """),
)


def _circles(subject: Subject) -> Iterator[Finding]:
    rules = subject.plan.inhibition.rules
    placed = {one.position: one for one in subject.rules}
    for circle in subject.plan.inhibition.circles:
        known = [at for at in circle if at in placed]
        for start in known[:MAX_STARTS]:
            found = _around(start, known, rules)
            if not found:
                continue
            alerts = chain([rules[at] for at in found], closed=True).alerts()
            last = placed[max(found)]
            lines = [str(subject.line(placed[at].path)) for at in sorted(found)]
            shown = " and ".join(map(subject.labels, alerts))
            such = "" if any(subject.filled_in(placed[at].path) for at in found) else f" such as {shown}"
            yield subject.finding(
                CIRCLE,
                last.path,
                f"alerts{such} can inhibit each other, through the rules in lines {' and '.join(lines)}",
                'Take the source of one rule out of the target of the other, as with alertname!="...".',
            )
            break


def _around(start: int, among: Sequence[int], rules: Sequence[Rule]) -> list[int]:
    """The shortest way from a rule back to it that alerts can really go; empty if there is none."""
    came: dict[int, int] = {}
    waiting = deque([start])
    left = MAX_STEPS
    while waiting:
        here = waiting.popleft()
        for there in among:
            left -= 1
            if left < 0:
                return []
            if (
                there == here
                or there in came
                or find((*rules[here].target, *rules[there].source)).labels is None
            ):
                continue
            came[there] = here
            if there != start:
                waiting.append(there)
                continue
            way = [here]
            while way[-1] != start:
                way.append(came[way[-1]])
            way.reverse()
            if chain([rules[at] for at in way], closed=True).answer.labels is not None:
                return way
            del came[there]
    return []


CHECKS: Final = (Check(CIRCLE, _circles),)
