"""What a receiver is: something that takes a message for people and says what became of it.

A receiver decides how a message looks in its service and what the service's answer means. It does not
retry, wait or remember: `gateway/sender.py` does, with `routing/delivery.py` deciding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from routing.incident_records import Ack
    from routing.severity import Grade

Kind = Literal["ring", "update", "end"]


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """One alert as a message shows it. Times are milliseconds since the epoch; `ends_at` 0 while firing."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    status: Literal["firing", "resolved"]
    starts_at: int
    ends_at: int
    generator_url: str
    expired: bool = False  # ended because nobody reported it any longer, not by a message


@dataclass(frozen=True, slots=True)
class Message:
    """One incident at one revision, for one target.

    `alerts` holds the firing ones first, at most `SHOWN_ALERTS`; `firing` and `resolved` are the counts
    of all. `kind` says whether it must be heard (`ring`), only changes what is shown (`update`), or is
    the end. `reason` is in Alertmanager's words ("first notification", "new alerts added",
    "some alerts resolved", "all alerts resolved", "repeat interval elapsed"), or in ours ("no longer held",
    "every alert that fires is held").
    `severity` is the worst firing alert's label, or, at the end, the worst there was; "" if none.
    `delivery`, `revision` and `ring` identify this attempt's content: a repeat of the same three is the
    same message (so a `Message-ID` or `dedup_key` made from them makes it harmless).
    `dedup_key` is stable for the group (PagerDuty). `all_alerts` reads every alert in pages, for a
    receiver that carries all of them (webhook).
    `notice` is all that there is to say, its first line the title, where no incident stands behind it; such a
    message goes by Slack and mail only.
    `held` counts alerts that fire beside these and that a silence or an inhibition holds back. Where that is
    every one, `held_by` says by what, and `alerts` and `firing` are those: such a message is never a ring and
    must make no sound.
    `acknowledged` says who has it in hand. `upcoming` is what happens next if nobody does, in words, at
    `upcoming_at` (ms, 0 for nothing). `history` holds the newest lines of the timeline, oldest first: when
    (ms), and what. `escalates`: it goes by a policy, so each ring must be heard. `person` is the user whom
    this copy is for, "" where it is for several. `answerable`: it can be acknowledged (a test cannot).
    `answer_url` leads to a page on which its reader answers without a login: in mails only, never shown to
    others, "" where there is nothing to answer.
    """

    kind: Kind
    reason: str
    incident: int
    status: Literal["firing", "resolved"]
    receiver: str
    route: str
    group_labels: Mapping[str, str]
    common_labels: Mapping[str, str]
    common_annotations: Mapping[str, str]
    alerts: Sequence[ShownAlert]
    firing: int
    resolved: int
    severity: str
    opened_at: int
    resolved_at: int
    now: int
    url: str
    external_url: str
    delivery: str
    revision: int
    ring: int
    dedup_key: str
    new_firing: int = 0  # how many of the firing alerts this target has not been shown yet
    test: bool = False  # sent by `receivers test`; must be marked as such
    all_alerts: AsyncIterator[Sequence[ShownAlert]] | None = None
    grade: Grade | None = None  # how bad `severity` is; None: as the usual severities say
    route_labels: Mapping[str, str] = field(default_factory=dict)
    held: int = 0
    held_by: str = ""
    acknowledged: Ack | None = None
    upcoming: str = ""
    upcoming_at: int = 0
    history: tuple[tuple[int, str], ...] = ()
    escalates: bool = False
    person: str = ""
    answerable: bool = False
    answer_url: str = ""
    notice: str = ""


SHOWN_ALERTS = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took it. `memory` is kept with the delivery and handed to the next attempt.

    `note` is said in the incident's timeline (a template that failed, a recipient that was refused).
    """

    memory: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """It may work later.

    Attributes:
        reason: for the timeline and the log; never contains a secret.
        after: milliseconds the service asked to wait (`Retry-After`), None if it said nothing.
        closes_target: the service asked to be left alone for `after`: nothing else goes to this target.
        unknown: the message may have arrived (a time-out after sending); the repeat must be harmless.
        memory: what to remember even so, None to keep what there was.
    """

    reason: str
    after: int | None = None
    closes_target: bool = False
    unknown: bool = False
    memory: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It can never succeed as it is (bad key, unknown channel): a dead letter. `reason` as in `Retry`."""

    reason: str


Outcome = Sent | Retry | Refused


class Receiver(Protocol):
    """One way to tell. An instance serves all integrations of its kind; it is created when first needed."""

    async def send(self, config: Any, message: Message, memory: Mapping[str, Any]) -> Outcome:
        """Tell `message` to the address in `config` (a model of `config/schema.py`, globals merged in).

        `memory` is what the last `Sent` or `Retry` of this delivery kept (Slack's `ts`, mail's
        references), and `memory["unknown"]` is true where an earlier attempt's outcome is unknown.
        Never raises for what the service or the network does; the caller adds a time limit.
        """
        ...

    async def close(self) -> None:
        """Close what is kept open: sessions, connections, threads."""
        ...


@dataclass(frozen=True, slots=True)
class Traits:
    """What the gateway must know of a kind of receiver before it sends.

    Attributes:
        slots: how many attempts may be under way at once for one target.
        edits: whether the integration changes what it has posted (so an end is always shown).
        updates: whether an update that is not the end is sent at all (mail: no).
        target: the name of what a 429 closes and what is waited for: never contains a secret.
        where: whom people read about (recipients, a channel); never a secret; the target where it is empty.
    """

    slots: int
    edits: bool
    updates: bool
    target: str
    where: str = ""


class ReceiverModule(Protocol):
    """The public face of `receivers/pagerduty.py`, `slack.py`, `email.py`, `webhook.py`."""

    def create(self) -> Receiver:
        """A new receiver; called once in a process, inside the running event loop."""
        ...
