"""What a simulation is told of a configuration: `routing.town.Town`, by the service's own plan and book."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.book import PlanBook
from gateway.placing import Placing
from routing import oncall
from routing.alerts import Dedup
from routing.delivery import Failed, Rejected, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.compile import Integration, Plan
    from config.integrations import IntegrationConfig
    from gateway.book import Rota
    from receivers.base import Kind, Message, Traits
    from routing.clocks import Book
    from routing.incident_records import Incident
    from routing.oncall import Override
    from routing.stored import Begun
    from routing.story import Reached, TargetKind

    Answer = Callable[[Kind, Mapping[str, Any], int], Told | Failed | Rejected | None]
    """What a receiver answers: (what, fields of the delivery, now); None for that it took it."""


PLANS: Final = 4  # whose placings are remembered
_POSTED: Final = "{}"
"""What a receiver remembers: no more than that it has told of this."""


class PlanTown:
    """One configuration after another, as `Reloaded` says."""

    def __init__(
        self,
        overrides: Sequence[Override],
        answer: Answer,
        *,
        texts: bool,
        heed: Callable[[], None] = lambda: None,
    ) -> None:
        """`heed` is called before each decision."""
        self._overrides: dict[str, tuple[Override, ...]] = {}
        for one in overrides:
            self._overrides[one.schedule] = (*self._overrides.get(one.schedule, ()), one)
        self._answer = answer
        self._heed = heed
        self.shows = texts
        self._texts = _texts() if texts else None
        self._receivers: set[str] = set()

    def placing(self, plan: Plan, generation: str, aliases: Mapping[str, str]) -> _Placing:
        """See `Town.placing`."""
        self._receivers |= plan.receivers.keys()
        if aliases:
            return _Placing(plan, generation, aliases)
        return _placing(plan, generation)

    def dedup(self, plan: Plan) -> Dedup:
        """See `Town.dedup`."""
        said = plan.config.dedup
        return Dedup(said.reorder, said.confirm, said.stale_after, said.dismissed_for)

    def book(self, placing: _Placing, now: int, reached: Reached) -> PlanBook:
        """See `Town.book`."""
        self._heed()
        return _Book(placing, _Rota(placing.plan, self._overrides, reached), now, placing.traits)

    def send(
        self, what: Kind, did: str, begun: Begun, placing: Placing, book: Callable[[], Book]
    ) -> tuple[Told | Failed | Rejected, str]:
        """See `Town.send`."""
        answer = self._answer(what, begun.fields, begun.now)
        if self._texts and begun.fields["kind"] == "pagerduty":
            config, message = self._composed(what, did, begun, placing, book())
            return self._to_pagerduty(config, message, begun, answer)
        if answer is not None and not isinstance(answer, Told):
            return answer, ""
        text = self._text(what, did, begun, placing, book()) if self._texts else ""
        return answer or Told(begun.revision, memory=_POSTED), text

    def _to_pagerduty(
        self,
        config: IntegrationConfig,
        message: Message,
        begun: Begun,
        answer: Told | Failed | Rejected | None,
    ) -> tuple[Told | Failed | Rejected, str]:
        """An update takes no event where it would show what is shown: then nobody can be away."""
        texts = self._texts or _texts()
        text, memory, actions = texts.events(config, message, begun.fields["memory"] or "{}")
        for action in actions:
            # Of an earlier ring that cannot be resolved only the timeline tells.
            refused = isinstance(answer, Rejected) and (action != "resolve" or message.kind == "end")
            if answer is not None and (refused or isinstance(answer, Failed)):
                return answer, ""
        return Told(begun.revision, memory=memory), text

    def _text(self, what: Kind, did: str, begun: Begun, placing: Placing, book: Book) -> str:
        from gateway.message import shown  # noqa: PLC0415 - who asks for no texts does not wait for it

        config, message = self._composed(what, did, begun, placing, book)
        if every := begun.fields.get("all"):  # a webhook brings more alerts than others show
            firing, ended = every
            alerts = [shown(one, resolved=False) for one in firing]
            alerts += [shown(one, resolved=True) for one in ended if begun.fields["ends"] == "1"]
            message = replace(message, alerts=alerts) if firing or not begun.held else message
        return self._texts.of(config, message, new=not begun.fields["memory"]) if self._texts else ""

    def _composed(
        self, what: Kind, did: str, begun: Begun, placing: Placing, book: Book
    ) -> tuple[IntegrationConfig, Message]:
        from gateway.message import compose  # noqa: PLC0415 - who asks for no texts does not wait for it

        fields, plan = begun.fields, placing.plan
        config = placing.address(
            fields["receiver"], fields["kind"], cast("IntegrationConfig", fields["config"])
        )
        message = compose(
            what,
            did,
            begun,
            plan.config.external_url or "",
            None,
            severities=plan.severities,
            route_labels=placing.labels_of(begun.incident.route),
            book=book,
        )
        return config, message

    def target(self, fields: Mapping[str, Any]) -> tuple[TargetKind, str]:
        """See `Town.target`."""
        receiver = str(fields["receiver"])
        if fields["person"]:
            return "user", str(fields["person"])
        if receiver in self._receivers:
            return "receiver", receiver
        who = receiver.rpartition(": ")[0]
        return "team", who.removeprefix("team ") if who.startswith("team ") else ""


class _Placing(Placing):
    """Remembers besides what the gateway must know of each address, which the plan keeps alive."""

    def __init__(self, plan: Plan, generation: str, aliases: Mapping[str, str]) -> None:
        super().__init__(plan, 1, generation, {}, aliases)
        self.traits: dict[int, Traits] = {}


def _placing(plan: Plan, generation: str) -> _Placing:
    """One for all simulations by a plan: what it has found out of alerts and people stays true."""
    with _remembering:
        known = _placings.get(id(plan))
        if known is None or known.generation != generation:
            while len(_placings) >= PLANS:
                _placings.pop(next(iter(_placings)), None)
            known = _placings[id(plan)] = _Placing(plan, generation, {})
        return known


_placings: Final[dict[int, _Placing]] = {}
_remembering: Final = Lock()
"""The service simulates in threads."""


def _texts() -> Any:
    from gateway.simulation.texts import Texts  # noqa: PLC0415 - who asks for no texts does not wait for it

    return Texts()


class _Book(PlanBook):
    """Keeps the address itself with a delivery, where the service pins it."""

    def __init__(self, placing: Placing, rota: Rota, now: int, traits: dict[int, Traits]) -> None:
        """`traits` are remembered by the address, which the placing keeps alive."""
        super().__init__(placing, rota, now)
        self._known = traits

    def _traits(self, integration: Integration) -> Traits:
        key = id(integration.config)
        if (found := self._known.get(key)) is None:
            found = self._known[key] = super()._traits(integration)
        return found

    def fields(self, place: str, incident: Incident) -> dict[str, Any]:
        return super().fields(place, incident) | {"config": self.at(place).config}


class _Rota:
    """Who is on call, by the plan and by overrides; writes down what was asked."""

    def __init__(self, plan: Plan, overrides: Mapping[str, tuple[Override, ...]], reached: Reached) -> None:
        self._plan = plan
        self._overrides = overrides
        self._reached = reached

    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        known = self._plan.schedules.get(schedule)
        if known is None:
            return ()
        self._reached.asked.add((schedule, at))
        return oncall.on_call(known, at, self._overrides.get(schedule, ()))

    def next_covered(self, schedule: str, at: int) -> int | None:
        known = self._plan.schedules.get(schedule)
        return oncall.next_covered(known, at, self._overrides.get(schedule, ())) if known else None
