"""What happens in a test, read from its file: alerts, answers, silences, overrides, services that fail.

All times are after the first firing, which is the test's own beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from config.problems import did_you_mean
from gateway.simulation.test_file import Failing, Firing, Overridden, Response, Silenced, Spot, Verb
from routing.alerts import InvalidAlertError, alert_key
from routing.matchers import Matcher, MatcherError, parse_matchers
from routing.silence_changes import InvalidSilenceError, check_matchers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.simulation.values import Value, Values

GIVEN: Final = ("at", "alerts", "answers", "silences", "failures", "overrides", "until")
MAX_ALERTS: Final = 10_000  # of one test

_ALERT: Final = ("like", "labels", "annotations", "at", "fires")
_NAMED: Final = ("labels", "annotations", "fires")
_VERBS: Final[tuple[Verb, ...]] = get_args(Verb)
_ANSWER: Final = ("at", *_VERBS, "for", "incident")
_SILENCE: Final = ("matchers", "at", "for")
_FAILURE: Final = ("what", "at", "for", "refused")
_OVERRIDE: Final = ("schedule", "user", "at", "for")


class Given:
    """Reads what happens in one test.

    `labels` are those of every alert; `named` are the file's shared alerts; `shared` makes of what stands
    outside of a test what it means inside of it.
    """

    def __init__(
        self,
        values: Values,
        labels: Mapping[str, str],
        named: Mapping[str, Value],
        shared: Callable[[Value], Value],
    ) -> None:
        self._values = values
        self._labels = labels
        self._named = named
        self._shared = shared

    # --- alerts ---

    def alerts(self, value: Value | None, test: Value) -> tuple[Firing, ...]:
        """The alerts; one at least fires at the beginning."""
        items = self._values.items(value, "a list of alerts")
        if len(items) > MAX_ALERTS and value:
            self._values.wrong(value, f"{len(items):,} alerts in one test; expected at most {MAX_ALERTS:,}")
            return ()
        if not items and (value is None or value.node.kind == "list"):
            self._values.wrong(
                value or test, "no alert fires in this test; expected alerts: and one at least below it"
            )
        alerts = tuple(map(self._alert, items))
        if alerts and value and min(alert.at for alert in alerts) > 0:
            message = "no alert fires at 0s; expected that one does, since times count from the first firing"
            self._values.wrong(value, message)
        return alerts

    def _alert(self, item: Value) -> Firing:
        values = self._values
        before = len(values.problems)
        if item.node.kind == "text":
            keys: Mapping[str, Value] = {}
            base = self._base(item)
        else:
            keys = values.mapping(item, _ALERT, "an alert: labels:, or the name of one in alerts:")
            base = self._base(keys["like"]) if "like" in keys else {}
            if item.node.kind == "mapping" and not keys.keys() & {"like", "labels"}:
                values.wrong(item, "this alert has no labels; expected labels: and at least one below it")
        own = values.texts(keys.get("labels"), "labels, name: value")
        found = dict(self._labels) | values.texts(base.get("labels"), "labels, name: value") | own
        labels = {name: text for name, text in found.items() if text}
        if len(values.problems) == before:
            self._check(keys.get("labels") or base.get("labels") or item, labels)
        annotations = values.texts(base.get("annotations"), "annotations, name: value")
        fires = keys.get("fires") or base.get("fires")
        at = keys.get("at")
        return Firing(
            labels=labels,
            annotations=annotations | values.texts(keys.get("annotations"), "annotations, name: value"),
            at=values.duration(at) if at else 0,
            fires=values.duration(fires, positive=True) if fires else None,
            spot=_spot(item),
        )

    def _base(self, name: Value) -> Mapping[str, Value]:
        """What the named alert has."""
        text = self._values.text(name, "the name of an alert in alerts:")
        if not text:
            return {}
        if text not in self._named:
            message = (
                f"there is no alert {text!r}; expected the name of one in alerts: at the top of the file"
            )
            self._values.wrong(name, message + did_you_mean(text, self._named))
            return {}
        alert = self._shared(self._named[text])
        return self._values.mapping(alert, _NAMED, "an alert: labels:")

    def _check(self, place: Value, labels: Mapping[str, str]) -> None:
        try:
            alert_key(labels)
        except InvalidAlertError as error:
            self._values.wrong(place, f"no alert can have these labels: {error}")

    # --- what people do ---

    def answers(self, value: Value | None) -> tuple[Response, ...]:
        """What people say."""
        return tuple(map(self._answer, self._values.items(value, "a list of answers")))

    def _answer(self, item: Value) -> Response:
        values = self._values
        keys = values.mapping(item, _ANSWER, "an answer such as {at: 3m, ack: dana}")
        verbs = [verb for verb in _VERBS if verb in keys]
        if item.node.kind == "mapping" and len(verbs) != 1:
            said = f"{' and '.join(verbs)} together" if verbs else "nobody says anything here"
            values.wrong(item, f"{said}; expected one of {', '.join(_VERBS)}, and who: {{at: 3m, ack: dana}}")
        if "at" not in keys and keys:
            values.wrong(item, "at: is missing; expected how long after the first firing, such as 3m")
        verb: Verb = verbs[0] if verbs else "ack"
        if verb == "snooze" and "for" not in keys:
            values.wrong(item, "this snooze has no end; expected for: and how long, such as 1h")
        elif verb != "snooze" and "for" in keys and verbs:
            values.wrong(keys["for"], f"only a snooze has an end; expected snooze: instead of {verb}:")
        return Response(
            at=self._after(keys.get("at")) or 0,
            verb=verb,
            by=values.text(keys.get(verb), "who says it, such as dana"),
            lasts=values.duration(keys["for"], positive=True) if "for" in keys else 0,
            incident=values.number(keys.get("incident")),
            spot=_spot(item),
        )

    def silences(self, value: Value | None) -> tuple[Silenced, ...]:
        """Silences that are there, from the beginning or later on."""
        return tuple(map(self._silence, self._values.items(value, "a list of silences")))

    def _silence(self, item: Value) -> Silenced:
        keys = self._values.mapping(
            item, _SILENCE, """a silence such as {matchers: ['team="db"'], for: 2h}"""
        )
        if keys and "matchers" not in keys:
            self._values.wrong(item, """matchers: is missing; expected a list such as ['team="db"']""")
        matchers: list[Matcher] = []
        for written in self._values.one_or_more(keys.get("matchers"), "a list of matchers"):
            try:
                matchers += parse_matchers(self._values.text(written, 'a matcher such as team="db"'))
            except MatcherError as error:
                self._values.wrong(written, str(error), offset=(error.column or 1) - 1)
        try:
            if matchers:
                check_matchers(tuple(matchers))
        except InvalidSilenceError as error:
            self._values.wrong(item, str(error))
        return Silenced(
            matchers=tuple(matchers),
            at=self._after(keys.get("at")) or 0,
            lasts=self._length(keys.get("for")),
            spot=_spot(item),
        )

    # --- what fails, and who stands in ---

    def failures(self, value: Value | None) -> tuple[Failing, ...]:
        """Services that take nothing for a time."""
        return tuple(map(self._failure, self._values.items(value, "a list of failures")))

    def _failure(self, item: Value) -> Failing:
        keys = self._values.mapping(item, _FAILURE, "a failure such as {what: slack, for: 30m}")
        if keys and "what" not in keys:
            message = "what: is missing; expected a service such as slack, or the name of a receiver or user"
            self._values.wrong(item, message)
        return Failing(
            what=self._values.text(keys.get("what")),
            at=self._after(keys.get("at")) or 0,
            lasts=self._length(keys.get("for")),
            refused=self._values.flag(keys.get("refused")),
            spot=_spot(item),
        )

    def overrides(self, value: Value | None) -> tuple[Overridden, ...]:
        """Who is on call instead."""
        return tuple(map(self._override, self._values.items(value, "a list of overrides")))

    def _override(self, item: Value) -> Overridden:
        keys = self._values.mapping(item, _OVERRIDE, "an override such as {schedule: weekly, user: dana}")
        for name in ("schedule", "user"):
            if keys and name not in keys:
                self._values.wrong(item, f"{name}: is missing; expected {{schedule: weekly, user: dana}}")
        users = self._values.one_or_more(keys.get("user"), "a user, or a list of users")
        return Overridden(
            schedule=self._values.text(keys.get("schedule")),
            users=tuple(self._values.text(user) for user in users),
            at=self._after(keys.get("at")) or 0,
            lasts=self._length(keys.get("for")),
            spot=_spot(item),
        )

    # --- times ---

    def until(self, value: Value | None) -> int | None:
        """To which the story is told; None for as long as anything follows."""
        return self._length(value)

    def _length(self, value: Value | None) -> int | None:
        return self._values.duration(value, positive=True) if value else None

    def _after(self, value: Value | None) -> int | None:
        return self._values.duration(value) if value else None


def _spot(value: Value) -> Spot:
    return Spot(value.node.line, value.node.column, value.path)
