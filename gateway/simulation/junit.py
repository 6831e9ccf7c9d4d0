"""Results of tests as JUnit's XML, which code hosts show beside a change.

There is no standard of it; this is the part that Jenkins, GitLab and GitHub's actions read alike. What XML
cannot contain is replaced.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gateway.simulation.test_report import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.simulation.testing import Tried

_IMPOSSIBLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Tried]) -> bytes:
    """The document, as UTF-8."""
    root = Element("testsuites", {"name": "tocsin test", **_counts(results)})
    for file, together in groupby(results, key=lambda tried: str(tried.suite.file)):
        tests = list(together)
        suite = SubElement(root, "testsuite", {"name": _clean(file), **_counts(tests)})
        for tried in tests:
            suite.append(_case(tried))
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'.encode()


def _counts(results: Sequence[Tried]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(bool(tried.failed) for tried in results)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(tried.seconds for tried in results):.3f}",
    }


def _case(tried: Tried) -> Element:
    file = _clean(str(tried.suite.file))
    line = str(tried.case.spot.line)
    attributes = {"name": _clean(tried.case.name), "classname": file, "file": file, "line": line}
    case = Element("testcase", attributes | {"time": f"{tried.seconds:.3f}"})
    if tried.failed:
        message = "; ".join(failed.message for failed in tried.failed)
        failure = SubElement(case, "failure", {"type": "expectation", "message": _clean(message)})
        failure.text = _clean("\n".join(report(tried)))
    return case


def _clean(text: str) -> str:
    return _IMPOSSIBLE.sub("\ufffd", text)
