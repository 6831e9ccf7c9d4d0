"""What docs/inhibition.md says is what happens."""

import re
from pathlib import Path

from inhibition_worlds import alert, verdicts

from config.compile import compile_plan
from config.load import load_text
from routing.inhibition import Inhibited, Released

PAGE = (Path(__file__).parents[2] / "docs/inhibition.md").read_text()
BASE = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def plan(block):
    return compile_plan(load_text(BASE + block, "tocsin.yaml", {}))


def test_its_first_rule_is_valid_and_forms_no_circle():
    rules = plan(BLOCKS[0]).inhibition
    assert rules.any
    assert not rules.circles


def test_the_pauses_it_names_are_the_defaults():
    said, default = plan(BLOCKS[0] + BLOCKS[1]), plan(BLOCKS[0])
    assert (said.inhibit_grace, said.inhibit_release) == (default.inhibit_grace, default.inhibit_release)


def test_the_outage_it_tells_of_is_told_with_the_words_it_shows():
    rules = plan(BLOCKS[2]).inhibition
    assert rules.circles == ((0, 1),)
    down = alert(0, 2, alertname="SystemDown", severity="critical", job="app")
    agents = alert(1, 1, alertname="AgentFailure", severity="high", job="app")
    found = verdicts(rules.rules, [down, agents])
    assert isinstance(found[agents.alert], Inhibited)
    assert isinstance(found[down.alert], Released)
    assert found[down.alert].why in " ".join(PAGE.replace("\n> ", " ").split())


def test_the_remedy_it_names_takes_the_circle_away():
    ranked = (
        BLOCKS[2]
        .replace('alertname="SystemDown"', 'alertname="SystemDown", severity="critical"')
        .replace('alertname="AgentFailure"', 'alertname="AgentFailure", severity="critical"')
        .replace("target_matchers: [", "target_matchers: ['severity!=\"critical\"', ")
    )
    assert not plan(ranked).inhibition.circles
