"""Every page of `docs/findings/` is made of what stands beside its code, and does not lie.

After a change: `TOCSIN_WRITE_DOCS=1 python -m pytest tests/config/findings/test_pages.py`.
"""

import os
import re
from pathlib import Path

import pytest

from config.findings import pages
from gateway.cli.findings import CHECKS, CODES

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "findings"
PAGES = {f"{code.id}.md": pages.page(code) for code in CODES.values()} | {
    "README.md": pages.index(CODES.values())
}

by_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES)


def test_the_pages_say_what_the_code_says():
    if os.environ.get("TOCSIN_WRITE_DOCS") == "1":
        FOLDER.mkdir(exist_ok=True)
        for old in FOLDER.glob("*.md"):
            old.unlink()
        for name, text in PAGES.items():
            (FOLDER / name).write_text(text)
    written = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    assert written == PAGES, "write them anew: see the first lines of this test"


def test_no_two_findings_share_a_code_or_a_name():
    assert len(CODES) == len({code.name for code in CODES.values()}) == len(CHECKS)


@by_code
def test_a_code_is_of_a_family_and_its_page_has_all_parts(code):
    assert re.fullmatch(r"TOC[1-9]\d\d", code.id)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code.name)
    assert code.title[0].isupper()
    assert not code.title.endswith(".")
    assert all(text.endswith((".", ".)")) for text in (code.found, code.bad))


@by_code
def test_the_example_has_the_finding_and_what_to_use_instead_has_not(code, check_example):
    assert code.id in check_example(code.example)
    assert code.id not in check_example(code.instead)
