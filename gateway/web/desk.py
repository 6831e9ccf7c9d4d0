"""Where the page of an incident is put together, and where its buttons are pressed.

A press counts once, however often a browser sends it: on a second click, after a lost answer, when somebody
goes back. It leads back to the page, which says what came of it, and where a reload only looks.
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from aiohttp import web

from gateway.answers import AnswerError, NoSuchIncidentError
from gateway.api.incidents import describe
from gateway.body import read_within
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.store.once import Once, OtherRequestError, UnderWayError
from gateway.store.unavailable import StoreUnavailableError
from gateway.web.buttons import ANSWERS, buttons
from routing.whom import is_news

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.answers import Answers
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.events import Answer

LARGEST: Final = 4_096
BODY_MS: Final = 10_000
SHOWN_FOR: Final = "done"  # the parameter of the address that names what was pressed

_ONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,40}")  # the id of one showing of the page
_FORM: Final = "application/x-www-form-urlencoded"
_BEING_DONE: Final = "This is being done. Load the page again in a moment to see what came of it."


class Desk:
    """One for a process."""

    def __init__(
        self, store: Store, answers: Answers, plan: PlanInForce, external_url: Callable[[], str]
    ) -> None:
        """`external_url` is asked at each request, since a reload changes it."""
        self._store = store
        self._answers = answers
        self._plan = plan
        self._external_url = external_url

    async def page(self, request: web.Request, number: int, by: str) -> dict[str, Any]:
        """What the page of an incident shows, with the buttons for `by` ("" for somebody who only looks).

        Raises:
            ProblemError: there is no such incident.
            StoreUnavailableError: nobody knows.
        """
        found = await reading.incident(self._store, number)
        story = await describe(self._store, number, self._external_url(), self._plan)
        if found is None or story is None:
            raise no_such_incident(str(number))
        form = {"buttons": buttons(found[1]), "by": by, "once": secrets.token_urlsafe(16)}
        return {
            "incident": {**story, "timeline": [line for line in story["timeline"] if is_news(line)]},
            "form": form if by else None,
            "said": await self._said(request, number),
        }

    async def _said(self, request: web.Request, number: int) -> str:
        """What was said to the press that led to this page, "" for none."""
        given = request.query.get(SHOWN_FOR, "")
        if not _ONCE.fullmatch(given):
            return ""
        try:
            return str(await Once(self._store, _page(number), given, "").answer() or "")
        except UnderWayError:
            return _BEING_DONE

    async def press(self, request: web.Request, number: int, by: str, via: str) -> web.Response:
        """Give the answer that the form asks for, and lead back to the page, which says what came of it.

        Raises:
            ProblemError: the form is not one of ours, or there is no such incident.
            StoreUnavailableError: nothing was done.
        """
        given, what = await _read(request)
        once = Once(self._store, _page(number), given, what)
        try:
            if await once.before() is None:
                await self._give(once, number, ANSWERS[what](by, via, await self._store.now()))
        except UnderWayError:
            pass  # the page will say so
        except OtherRequestError:
            detail = "Another button of this page was pressed already. Open the page again."
            raise ProblemError(HTTPStatus.CONFLICT, detail) from None
        # Relative: the address that the browser knows may have another beginning than the one that we see.
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"?{SHOWN_FOR}={given}"})

    async def _give(self, once: Once, number: int, answer: Answer) -> None:
        try:
            said = (await self._answers.give(number, answer)).said
        except AnswerError as error:
            said = str(error)
        except NoSuchIncidentError:
            raise no_such_incident(str(number)) from None
        except StoreUnavailableError:
            await once.drop()
            raise
        await once.keep(said)


def _page(number: int) -> str:
    return f"page of #{number}"


def no_such_incident(given: str) -> ProblemError:
    """What is said of a number that no incident has."""
    detail = f"There is no incident #{given[:20]}, or it is older than what is kept."
    return ProblemError(HTTPStatus.NOT_FOUND, detail)


async def _read(request: web.Request) -> tuple[str, str]:
    """The page's id and which button was pressed."""
    if request.content_type != _FORM:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Expected a form, Content-Type: {_FORM}.")
    body = await read_within(request, LARGEST, BODY_MS, f"A form of this page has at most {LARGEST} bytes.")
    try:
        form = parse_qs(body.decode(), max_num_fields=8, strict_parsing=True)
    except ValueError:
        form = {}
    once, what = form.get("once", [""])[0], form.get("do", [""])[0]
    if what not in ANSWERS or not _ONCE.fullmatch(once):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "This is no form of this page; nothing was done. Open the page again."
        )
    return once, what
