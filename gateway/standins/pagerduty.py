"""A stand-in for PagerDuty: the Events API v2 takes, refuses and deduplicates as documented, people answer.

It does not page anybody, group alerts or escalate. Its rules are those of PagerDuty's developer
documents, "Events API v2 overview" (answers, limits) and "Send an alert event" (fields, what a second
trigger, an acknowledgement and a resolve mean); the wording of a 429 is the real service's. What happens to
an incident is posted to whoever subscribed (`pagerduty_webhooks.py`), and two things can be read by REST.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from gateway.standins.http import HttpStandin
from gateway.standins.pagerduty_webhooks import OF_EVENTS, OF_SERVICE, Person, Subscription, iso

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_EVENT_BYTES: Final = 512 * 1024
MAX_DEDUP_KEY: Final = 255
MAX_SUMMARY: Final = 1024
KEY_LENGTH: Final = 32
SEVERITIES: Final = ("critical", "error", "warning", "info")
ACTIONS: Final = ("trigger", "acknowledge", "resolve")
_STATE_AFTER: Final = {"acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass(slots=True)
class PagerDutyIncident:
    """What a responder sees of one (routing key, dedup key).

    `rings` counts what made somebody's phone sound: the trigger that opened it. Further triggers of an open
    incident are only logged in it; they count in `triggers`. `created_at` is in milliseconds.
    """

    routing_key: str
    dedup_key: str
    id: str = ""
    created_at: int = 0
    state: str = "triggered"
    summary: str = ""
    severity: str = ""
    rings: int = 1
    triggers: int = 1
    events: list[dict[str, Any]] = field(default_factory=list)


class PagerDutyStandin(HttpStandin):
    """`POST /v2/enqueue`, and what came of it; `GET /incidents/{id}/alerts` and `GET /users/{id}`.

    Attributes:
        events: every event that was accepted, in order.
        incidents: the newest incident of each (routing key, dedup key).
        closed: incidents that were resolved and then opened anew under the same key.
        people: those who can be read by REST.
        api_token: what REST wants to be shown.
        shows_keys: webhooks name the key of their incident.
        now: the clock, in milliseconds.
    """

    def __init__(self, **faults: Any) -> None:
        super().__init__(
            [
                web.post("/v2/enqueue", self._enqueue),
                web.get("/incidents/{id}/alerts", self._alerts),
                web.get("/users/{id}", self._user),
            ],
            **faults,
        )
        self.events: list[dict[str, Any]] = []
        self.incidents: dict[tuple[str, str], PagerDutyIncident] = {}
        self.closed: list[PagerDutyIncident] = []
        self.people = [Person()]
        self.api_token = "u+stand-in"  # noqa: S105 - of a server that is none
        self.shows_keys = True
        self.now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        self.subscriptions: list[Subscription] = []

    @property
    def enqueue_url(self) -> str:
        """What belongs into `url:` of a `pagerduty_configs` entry."""
        return f"{self.url}/v2/enqueue"

    @property
    def rings(self) -> int:
        """How often a phone sounded, over all incidents."""
        return sum(incident.rings for incident in (*self.incidents.values(), *self.closed))

    def subscribe(self, url: str, *secrets: str, hold: bool = False) -> Subscription:
        """From now on, what happens is posted to `url`; see `Subscription`."""
        self.subscriptions.append(Subscription(url, secrets, hold))
        return self.subscriptions[-1]

    async def stop(self) -> None:
        """Stop listening, and posting."""
        for subscription in self.subscriptions:
            await subscription.close()
        await super().stop()

    def acknowledge(self, routing_key: str, dedup_key: str, by: Person | None = None) -> None:
        """A responder presses "acknowledge" in PagerDuty; nothing happens where it is over."""
        self._change(self.incidents[routing_key, dedup_key], "acknowledged", (by or self.people[0]).agent)

    def resolve(self, routing_key: str, dedup_key: str, by: Person | None = None) -> None:
        """A responder presses "resolve" in PagerDuty."""
        self._change(self.incidents[routing_key, dedup_key], "resolved", (by or self.people[0]).agent)

    def time_out(self, routing_key: str, dedup_key: str) -> None:
        """PagerDuty takes an acknowledgement back, by the service's own time-out."""
        incident = self.incidents[routing_key, dedup_key]
        if incident.state == "acknowledged":
            incident.state = "triggered"
            incident.rings += 1
            self._tell("unacknowledged", incident, OF_SERVICE)

    def _change(self, incident: PagerDutyIncident, state: str, agent: dict[str, str]) -> None:
        if incident.state in ("resolved", state):
            return
        incident.state = state
        self._tell(state, incident, agent)

    def _tell(self, kind: str, incident: PagerDutyIncident, agent: dict[str, str] | None) -> None:
        for subscription in self.subscriptions:
            subscription.tell(kind, self.now(), agent, self._shown(incident))

    def _shown(self, incident: PagerDutyIncident) -> dict[str, Any]:
        shown = {
            "id": incident.id,
            "type": "incident",
            "status": incident.state,
            "created_at": iso(incident.created_at),
            "title": incident.summary,
            "service": OF_SERVICE,
            "resolve_reason": None,
        }
        return shown | ({"incident_key": incident.dedup_key} if self.shows_keys else {})

    async def _alerts(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        identity = request.match_info["id"]
        found = [one for one in (*self.incidents.values(), *self.closed) if one.id == identity]
        if not found:
            return _not_found()
        alerts = [{"id": f"A{one.id}", "alert_key": one.dedup_key, "status": one.state} for one in found]
        return web.json_response({"alerts": alerts, "more": False})

    async def _user(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        for person in self.people:
            if person.id == request.match_info["id"]:
                user = {"id": person.id, "name": person.name, "email": person.email}
                return web.json_response({"user": user})
        return _not_found()

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Token token={self.api_token}":
            return None
        return web.Response(status=401, text="")

    async def _enqueue(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if len(raw) > MAX_EVENT_BYTES:
            return _answer(413, "invalid event", f"Event is larger than {MAX_EVENT_BYTES} bytes")
        try:
            event = json.loads(raw)
        except ValueError:
            return _answer(400, "invalid event", "Event object is invalid", ["JSON is malformed"])
        errors = event_errors(event)
        if errors:
            return _answer(400, "invalid event", "Event object is invalid", errors)
        wait = self.wait_for_turn(event["routing_key"])
        if wait is not None:
            refused = "Requests for this service are arriving too quickly.  Please retry later."
            answer = _answer(429, "throttle exceeded", refused)
            answer.headers["Retry-After"] = str(wait)
            return answer
        event.setdefault("dedup_key", f"generated-{len(self.events)}")
        self._take(event)
        taken = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return web.json_response(taken, status=202)

    def _take(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        key = (event["routing_key"], event["dedup_key"])
        known = self.incidents.get(key)
        rang = False
        if event["event_action"] == "trigger":
            rang = known is None or known.state == "resolved"
            known = self._trigger(key, known)
            known.summary = event["payload"]["summary"]
            known.severity = event["payload"]["severity"]
            if rang:
                self._tell("triggered", known, OF_EVENTS)
        elif known is not None:
            self._change(known, _STATE_AFTER[event["event_action"]], OF_EVENTS)
        if known is not None:
            known.events.append(event)
        summary = known.summary if known else ""
        self.arrived({"service": "pagerduty", "rang": rang, "summary": summary, "event": event})

    def _trigger(self, key: tuple[str, str], known: PagerDutyIncident | None) -> PagerDutyIncident:
        if known is not None and known.state != "resolved":
            known.triggers += 1
            return known
        if known is not None:
            self.closed.append(known)
        number = len(self.incidents) + len(self.closed)
        self.incidents[key] = PagerDutyIncident(*key, id=f"P{number:06d}", created_at=self.now())
        return self.incidents[key]


def event_errors(event: Any) -> list[str]:
    """What the documents say is wrong with `event`, one sentence each; empty if it would be accepted."""
    if not isinstance(event, dict):
        return ["Event must be a JSON object"]
    errors = [
        f"'{name}' is missing or blank" for name in ("routing_key", "event_action") if not event.get(name)
    ]
    if errors:
        return errors
    if not isinstance(event["routing_key"], str) or len(event["routing_key"]) != KEY_LENGTH:
        errors.append(f"Length of 'routing_key' is incorrect (should be {KEY_LENGTH} characters)")
    if event["event_action"] not in ACTIONS:
        errors.append(f"'event_action' must be one of {', '.join(ACTIONS)}")
    key = event.get("dedup_key")
    if key is not None and (not isinstance(key, str) or len(key) > MAX_DEDUP_KEY):
        errors.append(f"'dedup_key' must be a string of at most {MAX_DEDUP_KEY} characters")
    if not key and event["event_action"] != "trigger":
        errors.append("'dedup_key' is missing or blank")
    errors += _attachment_errors(event)
    return errors + (_payload_errors(event.get("payload")) if event["event_action"] == "trigger" else [])


def _payload_errors(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or not an object"]
    required = ("summary", "source", "severity")
    errors = [f"'payload.{name}' is missing or blank" for name in required if not payload.get(name)]
    if len(str(payload.get("summary") or "")) > MAX_SUMMARY:
        errors.append(f"'payload.summary' has more than {MAX_SUMMARY} characters")
    if payload.get("severity") and payload["severity"] not in SEVERITIES:
        errors.append(f"'payload.severity' must be one of {', '.join(SEVERITIES)}")
    texts = ("summary", "source", "severity", "timestamp", "component", "group", "class")
    errors += [
        f"'payload.{name}' must be a string" for name in texts if not isinstance(payload.get(name, ""), str)
    ]
    if not isinstance(payload.get("custom_details", {}), dict):
        errors.append("'payload.custom_details' must be an object")
    return errors


def _attachment_errors(event: dict[str, Any]) -> list[str]:
    errors: list[str] = []
    for name, address in (("links", "href"), ("images", "src")):
        items = event.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            errors.append(f"'{name}' must be a list of objects")
        elif not all(item.get(address) for item in items):
            errors.append(f"each of '{name}' needs '{address}'")
        elif name == "images" and not all(str(item["src"]).startswith("https://") for item in items):
            errors.append("each of 'images' must be served over https")
    return errors


def _not_found() -> web.Response:
    return web.json_response({"error": {"message": "Not Found", "code": 2100}}, status=404)


def _answer(status: int, state: str, message: str, errors: list[str] | None = None) -> web.Response:
    body: dict[str, Any] = {"status": state, "message": message}
    if errors:
        body["errors"] = errors
    return web.json_response(body, status=status)
