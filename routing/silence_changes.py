"""How a silence is made, changed and ended, and which ones are refused.

It decides what is to be written; ids, time and the silence as it is now come from outside. It knows no store.

Rules: Alertmanager's `silence/silence.go` (`Set`, `canUpdate`, `expire`) and the checks of its API. Two
differences are meant: the order of matchers says nothing, and a silence that would hide every alert is
recognised here, so that whoever asks for it can be told. All times are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from routing.matchers import Matcher, in_order
from routing.silences import Silence, State, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_MATCHERS: Final = 64
MAX_MATCHERS_BYTES: Final = 16_384
MAX_COMMENT_BYTES: Final = 4_096
MAX_AUTHOR_BYTES: Final = 256
MAX_ANNOTATIONS: Final = 32
MAX_ANNOTATIONS_BYTES: Final = 8_192
LATEST: Final = 253_402_300_799_999
"""The end of the year 9999, the last that RFC 3339 can write."""

# Values that nobody means: who is met by all of them, and by the label's absence, is met by any alert.
_PROBES: Final = ("Tocsin7probe", "tocsin_probe", "0", "é-probe.example:65535")


class InvalidSilenceError(ValueError):
    """What was asked for can be no silence. `field` is where, such as `matchers` or `ends_at`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for.

    Attributes:
        id: the silence to be changed; "" makes a new one.
        starts_at: None for now, or, where one is changed, for when that starts.
    """

    matchers: tuple[Matcher, ...]
    ends_at: int
    created_by: str
    comment: str
    id: str = ""
    starts_at: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written: `silence`, and `ended`, the one that it replaces, if it replaces one."""

    silence: Silence
    ended: Silence | None


def put(wanted: Wanted, known: Silence | None, now: int, fresh: str) -> Change:
    """The silence as asked for: changed where it can be, else a new one with the id `fresh`.

    It keeps its id if the matchers stay and it is active and starts as before (to the second), or is pending
    and does not start in the past. Otherwise the old one ends now, so that what it was can still be read.

    Args:
        wanted: what is asked for.
        known: the silence that `wanted.id` names, None where it names none.
        now: the time.
        fresh: an id that no silence has.

    Raises:
        InvalidSilenceError: it can be no silence.
    """
    starts_at = _start(wanted, known, now)
    validate(wanted, starts_at, now)
    kept = known if known is not None and _can_change(known, wanted.matchers, starts_at, now) else None
    if kept is not None and state(kept, now) is State.ACTIVE:
        starts_at = kept.starts_at
    elif kept is None:
        starts_at = max(starts_at, now)
    silence = Silence(
        id=kept.id if kept else fresh,
        matchers=wanted.matchers,
        starts_at=starts_at,
        ends_at=wanted.ends_at,
        created_by=wanted.created_by,
        comment=wanted.comment,
        updated_at=now,
        annotations=dict(wanted.annotations),
    )
    replaced = known is not None and kept is None and state(known, now) is not State.EXPIRED
    return Change(silence, expire(known, now) if known and replaced else None)


def _start(wanted: Wanted, known: Silence | None, now: int) -> int:
    if wanted.starts_at is not None:
        return wanted.starts_at
    return known.starts_at if known and state(known, now) is not State.EXPIRED else now


def _can_change(known: Silence, matchers: Iterable[Matcher], starts_at: int, now: int) -> bool:
    if in_order(known.matchers) != in_order(matchers):
        return False
    match state(known, now):
        case State.ACTIVE:
            return starts_at // 1_000 == known.starts_at // 1_000
        case State.PENDING:
            return starts_at >= now
        case State.EXPIRED:
            return False


def expire(silence: Silence, now: int) -> Silence:
    """Ends it at `now`: an active one ends, a pending one never was, an expired one stays as it is."""
    match state(silence, now):
        case State.ACTIVE:
            return replace(silence, ends_at=now, updated_at=now)
        case State.PENDING:
            return replace(silence, starts_at=now, ends_at=now, updated_at=now)
        case State.EXPIRED:
            return silence


def validate(wanted: Wanted, starts_at: int, now: int) -> None:
    """Refuses what can be no silence from `starts_at` on.

    Raises:
        InvalidSilenceError: with what was expected.
    """
    check_matchers(wanted.matchers)
    if wanted.ends_at <= now:
        raise InvalidSilenceError("ends_at", "it ends in the past; expected an end that is still to come")
    if wanted.ends_at <= starts_at:
        raise InvalidSilenceError("ends_at", "it ends before it starts; expected an end after the start")
    if wanted.ends_at > LATEST:
        raise InvalidSilenceError("ends_at", "it ends after the year 9999; expected an earlier end")
    _limit("created_by", (wanted.created_by,), MAX_AUTHOR_BYTES)
    _limit("comment", (wanted.comment,), MAX_COMMENT_BYTES)
    if len(wanted.annotations) > MAX_ANNOTATIONS:
        raise InvalidSilenceError(
            "annotations", f"at most {MAX_ANNOTATIONS} are kept; these are {len(wanted.annotations)}"
        )
    texts = [text for pair in wanted.annotations.items() for text in pair]
    _limit("annotations", texts, MAX_ANNOTATIONS_BYTES)


def check_matchers(matchers: tuple[Matcher, ...]) -> None:
    """Refuses matchers that can make no silence.

    Raises:
        InvalidSilenceError: none, too many, too long, or none that an alert needs a label for.
    """
    if not matchers:
        raise InvalidSilenceError("matchers", 'a silence needs at least one matcher, such as alertname="X"')
    if len(matchers) > MAX_MATCHERS:
        raise InvalidSilenceError(
            "matchers", f"a silence has at most {MAX_MATCHERS} matchers; this one has {len(matchers)}"
        )
    _limit("matchers", [text for one in matchers for text in (one.name, one.value)], MAX_MATCHERS_BYTES)
    if all(one.op in ("=", "=~") and one.matches({}) for one in matchers):
        raise InvalidSilenceError(
            "matchers",
            f"every matcher is met by alerts without the label ({', '.join(map(str, matchers))}); "
            "expected at least one that needs a value",
        )


def _limit(field_name: str, texts: Iterable[str], limit: int) -> None:
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError:
        raise InvalidSilenceError(field_name, "it holds characters that UTF-8 cannot write") from None
    if size > limit:
        raise InvalidSilenceError(field_name, f"it may have {limit} bytes; this has {size}")


def hides_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether any alert meets the matchers, but for those with values that a negative one names.

    Every alert is taken to have an `alertname`; of other labels, that they may be missing.
    """
    return all(
        (one.name == "alertname" or one.matches({}))
        and all(one.matches({one.name: probe}) for probe in _PROBES)
        for one in matchers
    )
