"""What a policy says and this version does not carry out yet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.later import not_carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject

_POLICY: Final = """\
route:
  receiver: default
  routes:
    - matchers: [severity="critical"]
      policy: page
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: default}]
"""

NOT_YET: Final = Code(
    "TOC319",
    "policy-not-carried-out",
    "info",
    "A part of a policy that this version does not carry out",
    found="A step of a policy after its first one, or an `ack_timeout`.",
    bad="This version carries out the first step of each policy only: whoever should be told later is not. "
    "It is said so that nobody relies on it; a later version does all of it, without a change of the file.",
    example=Example(
        _POLICY
        + """\
      - after: 5m
        notify: [{receiver: default}]
"""
    ),
    instead=Example(_POLICY),
)


def _not_yet(code: Code, subject: Subject) -> Iterator[Finding]:
    for one in not_carried_out(subject.config):
        advice = "Nothing to do: leave it for the version that does it, and do not rely on it until then."
        yield subject.finding(code, one.path, f"the policy {one.policy!r}: {one.said}", advice)


CHECKS: Final = (Check(NOT_YET, partial(_not_yet, NOT_YET)),)
