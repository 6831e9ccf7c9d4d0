"""What a valid configuration asks for and this version does not carry out yet, to be said at a start.

A policy is written as a whole; until its later steps are carried out, nobody may believe that they are. Take
a part out of here when it is carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.problems import Path
    from config.schema import Config


class NotYet(NamedTuple):
    """What stands at `path`, and what does not happen."""

    path: Path
    policy: str
    said: str


def not_carried_out(config: Config) -> Iterator[NotYet]:
    """In the order of the file."""
    for at, policy in enumerate(config.escalation_policies):
        path: Path = ("escalation_policies", at)
        if policy.ack_timeout:
            said = "acknowledgements come with a later version, so none of them ends"
            yield NotYet((*path, "ack_timeout"), policy.name, said)
        for position in range(1, len(policy.steps)):
            said = "only the first step of a policy is carried out by this version: nobody is told here"
            yield NotYet((*path, "steps", position), policy.name, said)
