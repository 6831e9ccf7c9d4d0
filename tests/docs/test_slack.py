"""The snippets of docs/slack.md load, and the manifest names the addresses that the service serves."""

import re
from pathlib import Path

import pytest
import yaml

from config.load import load_text
from gateway import slack_in

PAGE = (Path(__file__).parents[2] / "docs/slack.md").read_text()
ENV = {"SLACK_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "5ec7e7", "SLACK_APP_LEVEL_TOKEN": "xapp-1"}
BLOCKS = [
    re.sub(r"^ {3}", "", block, flags=re.MULTILINE)
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
]
TEAM = "receivers: [{name: team}]\n"


@pytest.mark.parametrize("text", [one for one in BLOCKS if re.match(r"global:|slack:|users:", one)])
def test_each_snippet_of_a_configuration_loads(text):
    text += "" if "route:" in text else f"route: {{receiver: team}}\n{TEAM}"
    assert load_text(text, "docs", ENV)


def test_the_manifest_names_the_addresses_that_are_served():
    manifest = yaml.safe_load(next(one for one in BLOCKS if one.startswith("display_information")))
    named = {
        manifest["settings"]["interactivity"]["request_url"],
        *(one["url"] for one in manifest["features"]["slash_commands"]),
    }
    served = {route.path for route in slack_in.routes(None, lambda: None)}
    assert {url.removeprefix("https://tocsin.example.com") for url in named} == served
