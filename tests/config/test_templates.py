"""A broken template is found when the configuration is read, not in a page."""

import subprocess
import sys

import pytest

from config.load import ConfigError, load_text
from config.schema import EmailConfig, PagerDutyConfig, SlackConfig
from config.section import keys_of
from config.templates import TEMPLATED

HEAD = "global: {slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: a@b}\nroute: {receiver: a}\n"


def told(section, **env):
    text = f"{HEAD}receivers:\n  - name: a\n    {section}\n"
    try:
        load_text(text, "f.yaml", env)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            "slack_configs: [{channel: c, title: '{{ a'}]",
            "f.yaml:5:42: receivers[0].slack_configs[0].title: this",
        ),
        ("slack_configs: [{channel: c, title: '{{ a'}]", "unexpected end of template"),
        ("slack_configs: [{channel: c, fields: [{title: x, value: '{% if x %}'}]}]", "fields[0].value: this"),
        ("slack_configs: [{channel: c, text: '{# x'}]", "Missing end of comment tag; expected Jinja2"),
        (
            "pagerduty_configs: [{routing_key: k, details: {a: '{{ 1 + }}'}}]",
            "details.a: this template is broken",
        ),
        ("pagerduty_configs: [{routing_key: k, class: '{{ }}'}]", "class: this template is broken"),
        ("pagerduty_configs: [{routing_key: k, links: [{href: '{{ a b }}'}]}]", "links[0].href: this"),
        ("email_configs: [{to: x@y, headers: {X: '{{ a|'}}]", "headers.X: this template is broken"),
        (
            'email_configs: [{to: x@y, text: "a\\n{% nonsense %}"}]',
            "broken in its line 2: Encountered unknown tag",
        ),
    ],
)
def test_a_broken_template_is_refused_with_its_place_and_what_is_wrong(section, expected):
    (problem,) = told(section)
    assert expected in problem


@pytest.mark.parametrize(
    "section",
    [
        "slack_configs: [{channel: c, text: '{% for a in alerts %}{{ a.labels.x|upper }}{% endfor %}'}]",
        "slack_configs: [{channel: c, text: 'a } }} b', app_url: 'https://h/{{'}]",
        "webhook_configs: [{url: 'https://h/{{', secret: '{{ no template'}]",
        "pagerduty_configs: [{routing_key: '{% no template'}]",
    ],
)
def test_what_is_no_template_is_not_read_as_one(section):
    assert told(section) == []


def test_a_secret_in_a_broken_template_is_not_shown():
    (problem,) = told("slack_configs: [{channel: c, text: '{{ ${KEY} hunter'}]", KEY="a hunter2secret")
    assert "hunter2secret" not in problem
    assert "this template is broken; expected Jinja2" in problem


def test_a_template_nested_without_end_is_refused():
    (problem,) = told(f"slack_configs: [{{channel: c, text: '{{{{ {'(' * 5000} }}}}'}}]")
    assert "this template is broken: it is nested too deeply" in problem


@pytest.mark.parametrize(
    ("kind", "section"),
    [("pagerduty_configs", PagerDutyConfig), ("slack_configs", SlackConfig), ("email_configs", EmailConfig)],
)
def test_what_is_called_a_template_is_a_key_of_its_section(kind, section):
    assert TEMPLATED[kind] <= keys_of(section).keys()


def test_a_configuration_without_templates_does_not_wait_for_jinja():
    code = """
import sys
from config.load import load_text
load_text("{route: {receiver: a}, receivers: [{name: a}]}", "f", {})
sys.exit("jinja2" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
