"""`tocsin demo`: alerts come in, and one sees what each person gets, on one machine and without an account.

Puts together the stage (`stage.py`), the story (`story.py`), what is shown (`screen.py`) and the reckoning
(`reckoning.py`), and ends them in peace. Everything shown is what the stand-ins really took.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from gateway import app
from gateway.demo import escalation, reckoning
from gateway.demo.screen import Screen
from gateway.demo.stage import CONFIGURATION, log_file, stage
from gateway.demo.story import Answer, Scene, play, scenes
from gateway.serve_options import StartError
from gateway.standins.slack_app import PressError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from gateway.demo.stage import Stage

PATIENCE_S: Final = 8.0  # after the last webhook, until everybody has been told
QUIET_S: Final = 1.0  # in which nothing more may come
LOOK_S: Final = 0.25
ASK_S: Final = 5.0

DONE, FAILED, INTERRUPTED = 0, 1, 130


def run(*, once: bool, host: str, port: int) -> int:
    """Plays the demo and returns the exit code: 0, 1 where it did not come out as it must, 130 at Ctrl-C.

    Without `once` it stays up after the story until Ctrl-C, which is then its proper end.

    Raises:
        StartError: it cannot be played here (a port that is taken, no store).
        ReaderGoneError: the output was closed before its end.
    """
    with log_file() as log:
        demo = _Demo(log, once=once)
        keep_log = True
        try:
            app.run_loop(demo.run(host, port))
            keep_log = demo.code == FAILED
        except StartError:
            keep_log = False
            raise
        finally:
            if not keep_log:
                log.unlink()
    demo.screen.check_reader()
    return demo.code


class _Demo:
    """One performance. `code` is the exit code when it is over."""

    def __init__(self, log: Path, *, once: bool) -> None:
        self.code = INTERRUPTED
        self._stopping = asyncio.Event()
        self.screen = Screen(gone=self._stopping.set)
        self._log = log
        self._once = once
        self._told: list[tuple[Scene, Answer]] = []

    async def run(self, host: str, port: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        async with stage(host, port) as built:
            await self._until_stopped(self._perform(built))
        if self._stopping.is_set():
            self.screen.farewell()

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Does `work`, or as much of it as there is time for."""
        working = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            working.cancel()
            await asyncio.wait((working, stopped))
        if not working.cancelled():
            working.result()

    async def _perform(self, built: Stage) -> None:
        built.standins.pagerduty.on_arrival = self.screen.pagerduty
        built.standins.slack.on_arrival = self.screen.slack
        built.standins.smtp.on_arrival = self.screen.mail
        self.screen.opening(built.url, CONFIGURATION)
        whole, person = scenes(), escalation.on_duty(built)
        due = reckoning.due(whole, built.plan)
        reckoning.add(due, escalation.due(person))
        try:
            self.screen.act("Nobody answers, so the next one is told; until somebody presses a button.")
            wrong = await escalation.play(built, person, self.screen)
            self.screen.act("A pair of Alertmanagers reports more, and says everything twice.")
            await play(built.url, whole, self._answered)
            wrong += await self._reckon(built, due)
        except PressError as error:
            wrong = [f"the button could not be pressed: {error}"]
        except (aiohttp.ClientError, TimeoutError) as error:
            wrong = [f"the gateway does not answer: {str(error) or type(error).__name__}"]
        if wrong:
            self.code = FAILED
            self.screen.failure(wrong, self._log)
            return
        self.screen.summary(self._told, due, reckoning.taken(built.standins))
        self.code = DONE
        if not self._once:
            self.screen.invitation(built.url)
            await self._stopping.wait()

    def _answered(self, scene: Scene, answer: Answer) -> None:
        self._told.append((scene, answer))
        self.screen.webhook(scene, answer)

    async def _reckon(self, built: Stage, due: reckoning.Due) -> list[str]:
        """What is wrong at the end; waits until nothing is, and then whether that stays so."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_S)) as session:

            async def wrong() -> list[str]:
                incidents = await _ask(session, f"{built.url}/api/v1/incidents?status=all&limit=1000")
                dead = await _ask(session, f"{built.url}/api/v1/deliveries?state=dead&limit=1000")
                answers = [answer for _, answer in self._told]
                found = reckoning.taken(built.standins)
                return reckoning.complaints(due, found, answers, incidents["incidents"], dead["deliveries"])

            while await wrong() and loop.time() < end:  # noqa: ASYNC110 - the stand-ins tell no end
                await asyncio.sleep(LOOK_S)
            await asyncio.sleep(QUIET_S)
            return await wrong()


async def _ask(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as answer:
        body: dict[str, Any] = await answer.json()
        return body
