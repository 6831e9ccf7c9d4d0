"""What docs/pagerduty.md shows is a configuration that loads, and its numbers are those of the program."""

import re
from pathlib import Path

import pytest

from config.load import load_text
from config.pagerduty_app import PagerDutyAppConfig
from gateway import metrics
from gateway.pagerduty_in import PATH

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pagerduty.md").read_text()
ENV = dict.fromkeys(("PAGERDUTY_KEY", "PAGERDUTY_WEBHOOK_SECRET", "PAGERDUTY_API_TOKEN"), "x")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_each_snippet_loads(text: str) -> None:
    rest = "" if "route:" in text else "route: {receiver: pager}\nreceivers: [{name: pager}]\n"
    assert load_text(text + rest, "docs", ENV)


def test_the_page_names_what_there_is() -> None:
    assert f"`{PATH}`" in PAGE
    assert PagerDutyAppConfig().replay_window == 3_600_000
    assert f"`{metrics.pagerduty_events.describe()[0].name}_total`" in PAGE
