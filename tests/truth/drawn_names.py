"""The words of drawn worlds: who and what there is, and how chance is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

SEVERITIES = ("critical", "high", "low")
TEAMS = ("backend", "frontend")
USERS = ("dana", "sam", "lee", "kim")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
RECEIVERS = ("hook", "deaf", "chat", "ops", "pager", "post", "all", "loud", "nobody")
POLICIES = ("p", "q", "r")
SCHEDULES = ("rota", "nights")
INTERVALS = ("i1", "i2", "i3")
CHANNELS = ("alerts", "backend", "frontend", "high", "ops")
SLACK_IDS = {name: f"U0{name.upper()}" for name in USERS}
NAMES = ("A", "B", "C", "D", "E", "F")


def key(name: str) -> str:
    """A routing key of PagerDuty, of the length that it wants."""
    return (name * 32)[:32]


def chance(random: Random, share: float) -> bool:
    return random.random() < share


def some(random: Random, among: tuple[Any, ...], most: int = 2) -> list[Any]:
    return random.sample(among, random.randint(1, min(most, len(among))))


def minutes(random: Random, *among: int) -> str:
    return f"{random.choice(among)}m"
