"""`POST /api/v1/incidents/{number}/...`: what people say to an incident over HTTP.

What is sent is read strictly (`answer_bodies.py`) and handed to `Answers`, which decides; whose words they
are decides `speaker.py`. Saying the same twice changes nothing the second time. With the header
`Idempotency-Key` a request that is sent again is given the answer that it was given first, for a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.problems import did_you_mean
from gateway.answers import AnswerError, NoSuchIncidentError
from gateway.api import openapi, shapes
from gateway.api.answer_bodies import VERBS, Said, Verb, event
from gateway.api.bodies import read, refusal
from gateway.api.openapi import Operation, Parameter
from gateway.api.speaker import speaker
from gateway.problem import ProblemError
from gateway.store.once import Once, OtherRequestError, UnderWayError
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from config.compile import Plan
    from gateway.answers import Answers
    from gateway.auth import Auth
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.events import Answer

log = structlog.get_logger()

KEY: Final = "Idempotency-Key"
MAX_KEY: Final = 200


class Given(TypedDict):
    """What came of an answer: in a sentence, and whether it changed anything; the incident as it is now.

    `next` is what comes if nobody does anything, null for nothing.
    """

    number: int
    said: str
    changed: bool
    incident: shapes.Incident
    next: shapes.Coming | None


def routes(
    answers: Answers, store: Store, plan: PlanInForce, auth: Auth, external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The routes; `external_url` is asked at each request, since a reload changes it."""

    def handler(verb: Verb) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def take(request: web.Request) -> web.Response:
            token = auth.allow(request, "respond")
            key = _key(request)
            said = await read(request, verb.body)
            inforce = plan.current.plan
            _check_names(said, inforce)
            agent = request.headers.get("User-Agent", "")
            by, via = speaker(token, said.by, inforce.config.users, agent)
            number = int(request.match_info["number"])

            async def give() -> Given:
                return await _give(number, event(said, by, via, await store.now()))

            if not key:
                return web.json_response(await give())
            asked = f"{request.path}\n{said.model_dump_json(by_alias=True)}"
            return await _once(Once(store, token, key, asked), give)

        return take

    async def _give(number: int, answer: Answer) -> Given:
        try:
            answered = await answers.give(number, answer)
        except NoSuchIncidentError as error:
            raise ProblemError(404, str(error)) from None
        except AnswerError as error:
            raise ProblemError(409, str(error)) from None
        return {
            "number": answered.number,
            "said": answered.said,
            "changed": answered.changed,
            "incident": shapes.incident(answered.incident, external_url()),
            "next": shapes.coming(answered.incident, plan),
        }

    return [
        web.post(rf"/api/v1/incidents/{{number:\d{{1,15}}}}/{verb.path}", handler(verb)) for verb in VERBS
    ]


async def _once(once: Once, give: Callable[[], Awaitable[Given]]) -> web.Response:
    """What `give` answers, or what it answered to the same request before; a refusal is an answer too."""
    try:
        kept = await once.before()
    except OtherRequestError:
        raise ProblemError(422, f"{KEY}: this key was used for another request; make a new one.") from None
    except UnderWayError:
        later = "the request with this key is being answered at this moment; ask again in a second"
        raise ProblemError(409, f"{KEY}: {later}.", headers={"Retry-After": "1"}) from None
    if kept is None:
        try:
            kept = {"status": 200, "answer": await give()}
        except ProblemError as problem:
            kept = {"status": problem.status, "answer": problem.detail, "more": problem.more}
        except Exception:
            await once.drop()
            raise
        try:
            await once.keep(kept)
        except StoreUnavailableError as error:  # it is done all the same
            log.warning("incident.answer_not_kept", error=str(error))
    if kept["status"] != 200:
        raise ProblemError(kept["status"], kept["answer"], **kept["more"])
    return web.json_response(kept["answer"])


def _key(request: web.Request) -> str:
    key = request.headers.get(KEY, "")
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise ProblemError(400, f"{KEY}: expected at most {MAX_KEY} characters of ASCII.")
    return key.strip()


def _check_names(said: Said, plan: Plan) -> None:
    """A name that the configuration does not know is a slip of the pen, not a state of the incident."""
    known: Mapping[str, Iterable[str]] = {
        "user": [one.name for one in plan.config.users],
        "schedule": plan.schedules,
        "policy": plan.policies,
    }
    for field, names in known.items():
        name = getattr(said, field, None)
        if name and name not in names:
            near = did_you_mean(name, names)
            raise refusal(field, f"the configuration has no {field} {name[:60]!r}{near}")


_ONCE: Final = Parameter(
    KEY,
    "Of your own making, new for each request; one that is sent again with the same key is not done again.",
    {"type": "string", "maxLength": MAX_KEY},
    "header",
)

OPERATIONS: Final = tuple(
    Operation(
        "POST",
        f"/api/v1/incidents/{{number}}/{verb.path}",
        verb.summary,
        "respond",
        Given,
        verb.body.__doc__ or "",
        body=verb.body,
        optional=not verb.needs,
        parameters=(openapi.NUMBER, _ONCE),
        refusals={
            403: "The token lacks the scope `respond`, or is a user's own and `by` names another.",
            409: "It makes no sense now; `detail` says why.",
            422: f"The {KEY} was used for another request.",
        },
    )
    for verb in VERBS
)
