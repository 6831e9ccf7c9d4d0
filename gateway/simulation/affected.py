"""Which of the alerts that there are, by rules or in a recording, a change of the configuration affects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.alert_labels import labels_of
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from config.rule_files import AlertRule
    from gateway.simulation.diagram import Diagram
    from gateway.simulation.differences import Group
    from routing.story import Happening


@dataclass
class Affected:
    """Alerts by the number of the group in `Differences.groups` that they belong to.

    Attributes:
        certain: names of rules' alerts that belong there whatever their other labels are.
        perhaps: of those for which it depends on labels that only metrics bring.
        recorded: how many recorded alerts began to fire that belong there.
    """

    certain: dict[int, list[str]] = field(default_factory=dict)
    perhaps: dict[int, list[str]] = field(default_factory=dict)
    recorded: Counter[int] = field(default_factory=Counter)

    def add_rules(self, groups: Sequence[Group], rules: Sequence[AlertRule]) -> None:
        """Adds the alerts of rules."""
        for number, group in enumerate(groups):
            for rule in rules:
                found = group.diagram.answers(_known(group.diagram, rule))
                if group.answer in found:
                    names = self.certain if len(found) == 1 else self.perhaps
                    names.setdefault(number, []).append(rule.name)
        for names in (self.certain, self.perhaps):
            for number, of_group in names.items():
                names[number] = list(dict.fromkeys(of_group))

    def add_recorded(self, groups: Sequence[Group], happenings: Iterable[Happening]) -> None:
        """Adds recorded alerts, each as often as it began to fire."""
        if not groups:
            return
        names = [values.name for values in groups[0].diagram.labels]
        firing: set[str] = set()
        belongs: dict[tuple[str | None, ...], tuple[int, ...]] = {}
        for key, status, labels in _arrivals(happenings):
            if status == "resolved":
                firing.discard(key)
            elif key not in firing:
                firing.add(key)
                values = tuple(map(labels.get, names))
                if values not in belongs:
                    belongs[values] = tuple(
                        at for at, one in enumerate(groups) if one.diagram.answer(labels) == one.answer
                    )
                self.recorded.update(belongs[values])


def _known(diagram: Diagram, rule: AlertRule) -> Mapping[str, int]:
    """For each label the values that the alerts of a rule may have."""
    known = labels_of(rule)
    masks = {}
    for values in diagram.labels:
        of_label = known.of(values.name)
        if of_label.only is None:
            continue
        places = [values.place(value) for value in of_label.only]
        if None not in places:
            masks[values.name] = sum({1 << place for place in places if place is not None})
    return masks


def of_rules(rules: Iterable[AlertRule]) -> Iterator[Mapping[str, str]]:
    """Label sets with each value that rules set, one by one."""
    for rule in rules:
        for name, values in labels_of(rule).known.items():
            yield from ({name: value} for value in values.only or ())


def of_recording(happenings: Iterable[Happening]) -> Iterator[Mapping[str, str]]:
    """The label sets that arrived."""
    yield from (labels for _, _, labels in _arrivals(happenings))


def _arrivals(happenings: Iterable[Happening]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for one in happenings:
        if isinstance(one, Arrived):
            yield from ((arrival.key, arrival.status, arrival.labels) for arrival in one.arrivals)
