"""Inhibition by brute force, over all alerts: the second implementation, without slots, index or shortcuts.

Rule: Alertmanager's documentation, inhibition; and the guard as `routing/judge.py` states it.
"""

from routing.inhibition import Inhibited


def inhibits(rule, source, target):
    """Whether `source`, which fires, inhibits `target` by this rule. Both are label sets."""

    def meets(matchers, labels):
        return all(matcher.matches(labels) for matcher in matchers)

    if not meets(rule.source, source) or not meets(rule.target, target):
        return False
    if any(source.get(name, "") != target.get(name, "") for name in rule.equal):
        return False
    return not (meets(rule.source, target) and meets(rule.target, source))


def plain_walk(rules, alert, alerts):
    """The documented answer: the first rule that hits, with the first of its sources; or None."""
    for place, rule in enumerate(rules):
        sources = [one for one in alerts if inhibits(rule, one.labels, alert.labels)]
        if sources:
            return Inhibited(place, min(sources, key=lambda source: source.order))
    return None


def arrows(rules, alerts):
    """Who is inhibited by whom: alert key -> the keys of all its sources."""
    return {
        one.alert: {
            other.alert for other in alerts for rule in rules if inhibits(rule, other.labels, one.labels)
        }
        for one in alerts
    }


def upstream(sources, key):
    """All that inhibit an alert, directly or through others."""
    found, todo = set(), [key]
    while todo:
        new = sources[todo.pop()] - found
        found |= new
        todo.extend(new)
    return found


def circles(rules, alerts):
    """The sets of alerts that inhibit each other, each with the keys that inhibit it from outside."""
    sources = arrows(rules, alerts)
    above = {key: upstream(sources, key) for key in sources}
    sets = {frozenset(o for o in above[key] if key in above[o]) for key in above if key in above[key]}
    return {together: set().union(*(sources[key] for key in together)) - together for together in sets}


def released(rules, alerts, silenced):
    """The keys of those that the guard tells."""
    by_key = {one.alert: one for one in alerts}
    answer = set()
    for together, outside in circles(rules, alerts).items():
        loud = [by_key[key] for key in together if not silenced(by_key[key].labels)]
        if loud and not outside:
            answer.add(min(loud, key=lambda source: source.order).alert)
    return answer
