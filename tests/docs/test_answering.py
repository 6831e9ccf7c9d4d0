"""What the page about answering shows is a configuration, and what it promises of links is so."""

import re
from pathlib import Path

from config.load import load_text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "answering.md").read_text()


def test_its_keys_are_keys_and_their_defaults_are_the_defaults():
    (snippet,) = (text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "link_secret" in text)
    rest = "route: {receiver: a}\nreceivers: [{name: a}]\n"
    shown = load_text(snippet + rest, "docs", {"LINK_SECRET": "0123456789abcdef"}).auth
    assert shown.link_expires == load_text(rest, "docs", {}).auth.link_expires
