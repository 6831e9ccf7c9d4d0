"""The demo's story: what a real pair of Alertmanagers once sent, in its order and its pace, only quicker.

Reads the recording and posts it to a gateway. Nothing in it is changed: the alerts are of the day on which
they were recorded. What must come of it is said in `reckoning.py`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

PACE: Final = 0.8  # of the recorded time
LEAST_GAP_S: Final = 0.6  # between two webhooks, so that one can read along
ANSWER_S: Final = 10.0

_RECORDING: Final = Path(__file__).parents[1] / "standins" / "payloads"


@dataclass(frozen=True, slots=True)
class Scene:
    """One webhook: at how many seconds, by which Alertmanager, its body and what the body says."""

    at: float
    sender: str
    body: bytes
    webhook: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said: the status, and at 200 how many alerts meant what (`gateway/webhook.py`)."""

    status: int
    counts: dict[str, Any]


def scenes() -> list[Scene]:
    """The whole recording."""
    found: list[Scene] = []
    for line in (_RECORDING / "arrivals.jsonl").read_text().splitlines():
        arrival = json.loads(line)
        body = (_RECORDING / arrival["file"]).read_bytes()
        sender = (urlsplit(arrival["sender"]).hostname or "alertmanager").partition(".")[0]
        earliest = found[-1].at + LEAST_GAP_S if found else 0.0
        found.append(Scene(max(arrival["at_s"] * PACE, earliest), sender, body, json.loads(body)))
    return found


async def play(url: str, story: list[Scene], answered: Callable[[Scene, Answer], None]) -> None:
    """Posts each scene in its time to the gateway at `url`; `answered` is told what it said."""
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        began = loop.time()
        for scene in story:
            await asyncio.sleep(began + scene.at - loop.time())
            async with session.post(f"{url}/webhook", data=scene.body) as answer:
                counts = await answer.json() if answer.status == HTTPStatus.OK else {}
            answered(scene, Answer(answer.status, counts))
