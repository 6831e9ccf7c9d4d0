"""A real Alertmanager lets those routes speak now that may speak.

The intervals are others every day.
"""

import json
import random
import time

import pytest
from aiohttp import web
from alertmanagers import alertmanager, rfc3339
from programs import ask
from waiting import stays, until

from config.compile import compile_plan
from config.load import load_text
from gateway.standins.http import HttpStandin
from routing.calendar import quiet

pytestmark = pytest.mark.e2e

INTERVALS = 300
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "",
]
WEEK = ["sunday", "Monday", "tuesday", "WEDNESDAY", "thursday", "friday", "saturday"]
MONTHS = ["january", "February", "3", "april", "5", "june", "july", "8", "september", "10", "november", "12"]


def drawn(draw):
    """A period of which about every other contains a given moment."""

    def ranges(words):
        first, last = sorted((draw.randrange(len(words)), draw.randrange(len(words))))
        return [f"{words[first]}:{words[last]}", words[draw.randrange(len(words))]][: draw.randint(1, 2)]

    def times():
        first, last = sorted(draw.sample(range(1441), 2))
        return [{"start_time": clock(first), "end_time": clock(last)}]

    fields = {
        "times": times,
        "weekdays": lambda: ranges(WEEK),
        "days_of_month": lambda: [draw.choice(["1:15", "10:31", "-10:-1", "-31:-12", "20:-2", "-1", "5"])],
        "months": lambda: ranges(MONTHS),
        "years": lambda: [draw.choice(["2020:2040", "2026", "2027:2030"])],
        "location": lambda: draw.choice(ZONES),
    }
    return {name: fields[name]() for name in draw.sample(sorted(fields), draw.randint(0, 4))}


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def configuration(url):
    """A route for each interval: odd ones mute in it, even ones active in it."""
    draw = random.Random(int(time.time() / 86_400))
    names = [f"i{number}" for number in range(INTERVALS)]
    kinds = ["active_time_intervals", "mute_time_intervals"]
    routes = [
        {"receiver": name, "continue": True, kinds[number % 2]: [name], "matchers": ["alertname=A"]}
        for number, name in enumerate(names)
    ]
    return {
        "route": {"receiver": "root", "group_wait": "0s", "routes": routes},
        "time_intervals": [
            {"name": name, "time_intervals": [drawn(draw) for _ in range(draw.randint(0, 2))]}
            for name in names
        ],
        "receivers": [{"name": "root"}]
        + [{"name": name, "webhook_configs": [{"url": f"{url}/{name}"}]} for name in names],
    }


async def test_the_routes_that_may_speak_now_are_those_that_alertmanager_lets_speak(tmp_path, require_peer):
    told = set()

    async def take(request):
        told.add(request.match_info["name"])
        return web.Response()

    sink = HttpStandin([web.post("/{name}", take)])
    await sink.start()
    text = json.dumps(configuration(sink.url))
    program = alertmanager(require_peer("prometheus-alertmanager"), tmp_path, "alone", text)
    routes = compile_plan(load_text(text, "alertmanager.yml", {})).root.children

    def may_speak():
        return {r.receiver for r in routes if quiet(r.mute, r.active, int(time.time() * 1000)) is None}

    try:
        await program.start()
        before = may_speak()
        body = [{"labels": {"alertname": "A"}, "startsAt": rfc3339()}]
        assert (await ask(f"{program.url}/api/v2/alerts", "POST", json=body))[0] == 200
        await until(
            lambda: told >= before & may_speak(), "all who may speak to be told", lambda: before - told
        )
        await stays(lambda: True, 0.5)
        assert told <= before | may_speak()
        assert INTERVALS // 4 < len(told) < INTERVALS * 3 // 4
    finally:
        await program.finish()
        await sink.stop()
