"""The names of all keys, and what each holds. Every key of a shard carries its hash tag, `{n}`.

A script is given the shard's prefix `t:{n}` and makes the names of what it touches from it, in
`keys.lua`, which mirrors this list.

| key | kind | holds |
|---|---|---|
| `t:{n}:due` | sorted set | members `g:GROUP`, `d:DELIVERY`, `t:TARGET`; score: the deadline |
| `t:{n}:looks` | sorted set | groups whose alerts are to be judged anew; score: when |
| `t:{n}:groups` | set | every group that has a record |
| `t:{n}:g:GROUP` | hash | the group: `seq`, `version`, `lease`, `next`, `tick`, ..., its incident |
| `t:{n}:s:GROUP` | hash | alert key -> what is known of it (JSON array, `alert.lua`) |
| `t:{n}:c:GROUP` | hash | alert key -> its labels, annotations and link (JSON array) |
| `t:{n}:f:GROUP` | sorted set | alert keys that fire; score: the revision since which they do |
| `t:{n}:e:GROUP` | sorted set | alert keys that ended and have not left; score: the revision of the end |
| `t:{n}:x:GROUP` | sorted set | alert keys; score: when an absence means something |
| `t:{n}:h:GROUP` | hash | alert keys that fire and are held -> by what (JSON) |
| `t:{n}:y:GROUP` | sorted set | alert keys; score: when a hold, or the grace before one, is looked at again |
| `t:{n}:gd:GROUP` | set | deliveries of its present incident and unfinished ones of earlier ones |
| `t:{n}:d:DELIVERY` | hash | the delivery: levels, lease, the pinned address, the receiver's memory |
| `t:{n}:ready:TARGET` | sorted set | deliveries that wait for room; score: priority, then time |
| `t:{n}:busy:TARGET` | sorted set | deliveries under way; score: the end of their lease |
| `t:{n}:slots` | hash | target -> attempts at once |
| `t:{n}:failing` | set | targets whose last attempt failed |
| `t:{n}:closed` | hash | target -> until when the service wants to be left alone |
| `t:{n}:open` | set | deliveries that are open |
| `t:{n}:unsent` | sorted set | deliveries with something to say; score: since when |
| `t:{n}:dead` | sorted set | dead letters; score: since when |
| `t:{n}:i:NUMBER` | string | an incident's record (JSON), beside its group's copy, until retention ends |
| `t:{n}:l:NUMBER` | list | its timeline, JSON lines |
| `t:{n}:w:NUMBER` | list | its newest decisions, each with what it was made from (JSON) |
| `t:{n}:id:NUMBER` | set | its deliveries |
| `t:{n}:unresolved`, `t:{n}:resolved` | sorted sets | incident numbers; scores: opened at, resolved at |
| `t:{n}:activity` | list | the newest lines of all incidents, bounded |
| `t:{n}:plan` | hash | `gen`, `digest` of the configuration in force |
| `t:{n}:sources` | hash | `ALERT.GROUP` of sources of inhibition -> fires, rank, start, slots |
| `t:{n}:moved` | set | those of them of which the index has not been told yet |
| `t:{n}:holds` | hash | `version` of the silences judged by; `placed`: by which plan its sources |
| `t:{n}:heard` | hash | `alive`: somebody listened then; `since`: without a gap since then |
| `t:{0}:heartbeats` | hash | name -> when it was first known and last heard, and what is missing (JSON) |
| `t:{0}:pagerduty` | sorted set | ids of events of PagerDuty to be worked on; score: when |
| `t:{0}:pagerduty:events` | hash | id -> such an event (JSON) |
| `t:{0}:pagerduty:seen:ID` | string | there was such an event; for a day at least |
| `t:{n}:cursor` | hash | where the sweep goes on, among `groups` and `open` |
| `t:number` | string | the last incident's number |
| `t:adopted` | hash | generation of a plan -> which groups go on as which, and since when (JSON) |
| `t:asked:HASH` | string | a request that names itself, and what was answered to it (JSON); for a day |
| `t:links` | string | what links in mails are signed with, where the configuration does not say |
| `t:slack:EVENT` | string | somebody has taken this press or command in Slack; for fifteen minutes |
| `t:{s}:silences` | hash | id -> a silence's record (JSON) |
| `t:{s}:silences:ends` | sorted set | ids of silences; score: when they end |
| `t:{s}:silences:version` | string | raised by every change of a silence |
| `t:{s}:overrides`, ... | | overrides of schedules, kept as silences are |
| `t:{s}:calendars`, ... | | the texts of calendars, kept as silences are |
| `t:calendars` | hash | id of a calendar -> how it stands with it (JSON) |
| `t:shift:ID` | string | somebody was told of a shift of theirs, or is being told |
| `t:calendar:ID` | string | it was somebody's turn to read that calendar, for a while |
| `t:{SLOT}:1`, `t:{SLOT}:2` | sorted sets | `ALERT.GROUP` of a slot's sources, one- and two-sided |
| `t:{SLOT}:w` | sorted set | groups with an alert that this slot could inhibit; score: since when (s) |
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

NUMBER: Final = "t:number"
ADOPTED: Final = "t:adopted"
LINK_KEY: Final = "t:links"
SHARED: Final = "t:{s}"
SILENCES: Final = f"{SHARED}:silences"
SILENCES_VERSION: Final = f"{SILENCES}:version"
OVERRIDES: Final = "overrides"
CALENDARS: Final = "calendars"
CALENDAR_STATES: Final = "t:calendars"


def prefix(shard: int) -> str:
    """What every key of `shard` begins with."""
    return f"t:{{{shard}}}"


def shared(name: str) -> str:
    """The records of this name, id -> JSON, that all shards and processes share (kept.lua)."""
    return f"{SHARED}:{name}"


def version(name: str) -> str:
    """The version of these records."""
    return f"{shared(name)}:version"


def shift_notice(notice: str) -> str:
    """Somebody has taken the turn to tell a person this of a shift."""
    return f"t:shift:{notice}"


def calendar_turn(calendar: str) -> str:
    """Somebody has taken the turn to read the calendar with this id."""
    return f"t:calendar:{calendar}"


def slot(key: str) -> str:
    """What the keys of one slot of the inhibition index begin with."""
    return f"t:{{{key}}}"


def answered(request: str) -> str:
    """What was answered to the request with this hash."""
    return f"t:asked:{request}"


def slack_event(identity: str) -> str:
    """A press or a command in Slack, once it is taken."""
    return f"t:slack:{identity}"


def shard_of(group: str, shards: int) -> int:
    """The shard that holds all records of `group`: CRC-16/XMODEM, as Redis Cluster computes it."""
    return crc_hqx(group.encode(), 0) % shards
