"""Inhibition rules that never do anything, or more than is meant."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from config.findings.by_value import ByValue
from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.inhibition_cases import chain, covers
from routing.matchers import matches_all
from routing.satisfiable import clash, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.findings.finding import Finding
    from config.findings.subject import PlacedRule, Subject
    from config.problems import Path
    from routing.inhibition import Rule

MAX_COMPARED: Final = 50_000  # pairs of rules of which it is asked whether one covers the other

BOTH_SIDES: Final = Code(
    "TOC202",
    "inhibition-of-itself",
    "error",
    "An inhibition rule whose sides are the same",
    found="A rule whose every source is also a target and every target also a source. An alert that "
    "meets both sides is not inhibited by another that does so too, or it would inhibit itself.",
    bad="The rule never inhibits anything.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [severity=~"critical|high"]
            target_matchers: [severity=~"high|critical"]
            equal: [service]
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [service]
        """),
)
CONTRADICTORY: Final = Code(
    "TOC203",
    "inhibition-contradictory",
    "error",
    "An inhibition rule whose matchers exclude each other",
    found="A rule whose source or target matchers contradict each other on one label, so that no alert "
    "meets them.",
    bad="The rule never inhibits anything.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [alertname="HostDown", alertname="RackDown"]
            target_matchers: [severity="high"]
            equal: [rack]
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [alertname=~"HostDown|RackDown"]
            target_matchers: [severity="high"]
            equal: [rack]
        """),
)
UNEQUAL: Final = Code(
    "TOC204",
    "inhibition-never-equal",
    "error",
    "An inhibition rule with an equal label that never is",
    found="A rule with a label in `equal` for which its source and its target matchers ask for different "
    "values.",
    bad="Source and target must have the same value there and cannot. The rule never inhibits anything.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [service, severity]
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [service]
        """),
)


def _idle(code: Code, subject: Subject) -> Iterator[Finding]:
    for one in subject.rules:
        found, reason, advice, path = _why_idle(subject, one)
        if found is code:
            yield subject.finding(code, path, f"this rule never inhibits anything: {reason}", advice)


def _why_idle(subject: Subject, one: PlacedRule) -> tuple[Code | None, str, str, Path]:
    rule, path = one.rule, one.path
    for side, matchers in (("source", rule.source), ("target", rule.target)):
        if find(matchers).never:
            clashing = " and ".join(map(str, clash(matchers)))
            what = f"its {side} matchers" if subject.filled_in(path) else clashing
            advice = f"Correct the {side} matchers; one matcher with =~ asks for either of two values."
            return (
                CONTRADICTORY,
                f"{what} exclude each other",
                advice,
                subject.under(path, f"{side}_matchers"),
            )
    if chain([rule], two_sided=False).answer.never:
        label = next((name for name in rule.equal if _never_equal(rule, name)), "")
        named = "a label" if subject.filled_in(path) else f"the label {label!r}"
        what = f"{named} is in equal, and source and target ask for different values of it"
        return UNEQUAL, what, "Take it out of equal.", subject.under(path, "equal")
    if chain([rule]).answer.never:
        reason = "each alert that is a target is a source too, and such alerts do not inhibit each other"
        if not rule.source and not rule.target:
            reason = "it has no matchers, so that every alert is source and target"
        return BOTH_SIDES, reason, "Let source and target ask for different alerts.", path
    return None, "", "", path


def _never_equal(rule: Rule, label: str) -> bool:
    return find(one for one in (*rule.source, *rule.target) if one.name == label).never


COVERED: Final = Code(
    "TOC205",
    "inhibition-covered",
    "info",
    "An inhibition rule that another makes superfluous",
    found="A rule that inhibits nothing that another rule would not inhibit too, because of the same source.",
    bad="It has no effect. Either it is left over, or one of the two is not what is meant.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity=~"high|medium"]
            equal: [service]
          - source_matchers: [severity="critical"]
            target_matchers: [severity="medium"]
            equal: [service, instance]
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity=~"high|medium"]
            equal: [service]
        """),
)


def _covered(subject: Subject) -> Iterator[Finding]:
    placed = [one for one in subject.rules if _why_idle(subject, one)[0] is None]
    by_source = ByValue(placed, lambda one: one.rule.source)
    by_target = ByValue(placed, lambda one: one.rule.target)
    covered: set[int] = set()
    left = MAX_COMPARED
    for one in reversed(placed):  # of two that are the same, the later one is superfluous
        alerts = chain([one.rule]).alerts()
        others = min(by_source.candidates(one.rule.source), by_target.candidates(one.rule.target), key=len)
        left -= len(others)
        if left < 0:
            return
        for other in others:
            if other is one or other.position in covered or not _inhibits(other.rule, *alerts):
                continue
            if not covers(other.rule, one.rule):
                continue
            covered.add(one.position)
            same = "is the same" if covers(one.rule, other.rule) else "inhibits all that this one does"
            yield subject.finding(
                COVERED,
                one.path,
                f"this rule has no effect: the one in line {subject.line(other.path)} {same}",
                "Take it out, or correct the one of the two that is not meant so.",
            )
            break


def _inhibits(rule: Rule, source: Mapping[str, str], target: Mapping[str, str]) -> bool:
    """Whether the rule may inhibit in this example; both sides of it at once are not looked into."""
    return (
        matches_all(rule.target, target)
        and matches_all(rule.source, source)
        and all(source.get(name, "") == target.get(name, "") for name in rule.equal)
    )


EVERYWHERE: Final = Code(
    "TOC206",
    "inhibition-everywhere",
    "warning",
    "An inhibition rule without equal",
    found="A rule without `equal` whose sources are no one alert: their `alertname` is not fixed.",
    bad="A single source anywhere inhibits the targets everywhere, of all services and clusters.",
    example=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
        """),
    instead=Example("""\
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [service, cluster]
        """),
)


def _everywhere(subject: Subject) -> Iterator[Finding]:
    for one in subject.rules:
        fixed = any(matcher.name == "alertname" and matcher.op in ("=", "=~") for matcher in one.rule.source)
        if one.rule.equal or fixed or _why_idle(subject, one)[0]:
            continue
        yield subject.finding(
            EVERYWHERE,
            one.path,
            "one source anywhere inhibits all targets everywhere, since the rule has no equal",
            "Name the labels that source and target must share, such as equal: [service, cluster].",
        )


CHECKS: Final = (
    Check(BOTH_SIDES, partial(_idle, BOTH_SIDES)),
    Check(CONTRADICTORY, partial(_idle, CONTRADICTORY)),
    Check(UNEQUAL, partial(_idle, UNEQUAL)),
    Check(COVERED, _covered),
    Check(EVERYWHERE, _everywhere),
)
