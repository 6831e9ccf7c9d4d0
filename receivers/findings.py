"""Templates that fail: found by compiling each, and by rendering it for a few messages.

It stands here and not in `config/findings/`, because only receivers know what a template can use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.templates import TEMPLATED
from receivers.base import Message, ShownAlert
from receivers.render import Renderer, TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.document import Node
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path

_SECONDS: Final = 0.25  # for one template and one message

UNKNOWN: Final = Code(
    "TOC502",
    "template-unknown-name",
    "error",
    "A template with a name that nobody knows",
    found="A template that uses a variable, filter or test that there is not, or that cannot be compiled.",
    bad="It fails at each message, and the default text is sent instead.",
    example=Example("""\
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
                app_token: ${SLACK_TOKEN}
                title: '{{ alert_name | shout }}'
        """),
    instead=Example("""\
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
                app_token: ${SLACK_TOKEN}
                title: '{{ name | upper }}'
        """),
)


def _unknown(subject: Subject) -> Iterator[Finding]:
    renderer = Renderer()
    for path, node in _templates(subject):
        try:
            renderer.check(node.text, html=path[-1] == "html")
        except TemplateError as error:
            yield _finding(subject, UNKNOWN, path, node, f"this template cannot be used: {error}")


FAILS: Final = Code(
    "TOC503",
    "template-fails",
    "error",
    "A template that fails",
    found="A template that can be compiled and fails for one of a few messages that are tried: one that "
    "is firing, one that has ended, and one whose alert has hardly a label.",
    bad="It fails in the same way at night, and the default text is sent instead.",
    example=Example("""\
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
                app_token: ${SLACK_TOKEN}
                title: '{{ 100 / firing }} %'
        """),
    instead=Example("""\
        receivers:
          - name: default
            slack_configs:
              - channel: "#alerts"
                app_token: ${SLACK_TOKEN}
                title: '{{ firing }} of {{ firing + resolved }}'
        """),
)


def _fails(subject: Subject) -> Iterator[Finding]:
    renderer = Renderer(_SECONDS)
    for path, node in _templates(subject):
        html = path[-1] == "html"
        try:
            renderer.check(node.text, html=html)
        except TemplateError:
            continue  # said already
        for what, message in samples().items():
            try:
                renderer.render(node.text, message, html=html)
            except TemplateError as error:
                yield _finding(subject, FAILS, path, node, f"this template fails for {what}: {error}")
                break


def _finding(subject: Subject, code: Code, path: Path, node: Node, reason: str) -> Finding:
    if node.filled_in:
        reason = reason.partition(":")[0]
    advice = "Correct it, or leave the text out for the default one."
    return subject.finding(code, path, reason, advice)


def _templates(subject: Subject) -> Iterator[tuple[Path, Node]]:
    """Every text that is a template, as far as its variables have values."""
    receivers = subject.document.at(("receivers",))
    for position, receiver in enumerate(receivers.items):
        for kind, keys in TEMPLATED.items():
            _, integrations = receiver.entries.get(kind, (None, None))
            for index, one in enumerate(integrations.items if integrations else ()):
                for key in keys & one.entries.keys():
                    top = one.entries[key][1]
                    for path, node in top.walk(("receivers", position, kind, index, key)):
                        if "{" in node.text and not node.stands_in:
                            yield path, node


# --- what is rendered ----------------------------------------------------------------------------------

_OPENED: Final = 1_795_010_700_000
_LABELS: Final = {"alertname": "HighLatency", "severity": "critical", "cluster": "eu-west", "service": "api"}


def samples() -> Mapping[str, Message]:
    """Messages of the kinds that a template meets, by what they are."""
    said = {"summary": "p99 is above 2 s", "runbook_url": "https://example.com/runbook"}
    two = [ShownAlert(_LABELS | {"instance": f"api-{n}"}, said, "firing", _OPENED, 0, "") for n in (1, 2)]
    over = [ShownAlert(_LABELS, said, "resolved", _OPENED, _OPENED + 60_000, "")]
    bare = [ShownAlert({"alertname": "Bare"}, {}, "firing", _OPENED, 0, "")]
    return {
        "two alerts that fire": _message(two, _LABELS, said),
        "an alert that has ended": _message(over, _LABELS, said),
        "an alert with no label but its name": _message(bare, {"alertname": "Bare"}, {}),
    }


def _message(alerts: list[ShownAlert], labels: Mapping[str, str], annotations: Mapping[str, str]) -> Message:
    firing = sum(alert.status == "firing" for alert in alerts)
    return Message(
        kind="ring" if firing else "end",
        reason="first notification" if firing else "all alerts resolved",
        incident=1,
        status="firing" if firing else "resolved",
        receiver="example",
        route="{}",
        group_labels={name: labels[name] for name in ("alertname", "cluster") if name in labels},
        common_labels=labels,
        common_annotations=annotations,
        alerts=alerts,
        firing=firing,
        resolved=len(alerts) - firing,
        severity=labels.get("severity", ""),
        opened_at=_OPENED,
        resolved_at=0 if firing else _OPENED + 60_000,
        now=_OPENED + 120_000,
        url="https://tocsin.example.com/incidents/1",
        external_url="https://tocsin.example.com",
        delivery="example",
        revision=1,
        ring=1,
        dedup_key="example",
    )


CHECKS: Final = (Check(UNKNOWN, _unknown), Check(FAILS, _fails))
