"""From a file to a configuration, or to all that is wrong with it, each with its place."""

import json
import re
import textwrap
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import ConfigError, load, load_text
from config.unsupported import UNSUPPORTED

ENV = {"KEY": "hunter2-the-secret", "SLACK_TOKEN": "xoxb-1", "PAGERDUTY_KEY": "k" * 32}
GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def told(text, name="f.yaml"):
    with pytest.raises(ConfigError) as caught:
        load_text(textwrap.dedent(text), name, ENV)
    return [str(problem) for problem in caught.value.problems]


def receiver(section):
    """A configuration whose one receiver has `section`, which begins in line 5, column 5."""
    defaults = "{slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: a@b}"
    return f"global: {defaults}\nroute: {{receiver: a}}\nreceivers:\n  - name: a\n    {section}\n"


@pytest.mark.parametrize("example", ["tocsin.yaml", "minimal.yaml"])
def test_the_examples_load(example):
    config = load(str(files("config") / "examples" / example), ENV)
    assert config.route.receiver
    assert config.receivers


def test_the_first_example_is_short():
    text = (files("config") / "examples" / "tocsin.yaml").read_text()
    assert len([line for line in text.splitlines() if line.strip() and not line.startswith("#")]) <= 20


def test_mail_needs_a_server_and_a_sender_from_somewhere():
    problems = told("route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: x@y}, {to: z}]}]")
    assert [problem.partition("; expected ")[0] for problem in problems] == [
        "f.yaml:2:39: receivers[0].email_configs[0]: no mail server",
        "f.yaml:2:50: receivers[0].email_configs[1]: no mail server",
    ]


def test_slack_must_be_reachable_somehow():
    (problem,) = told("route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: x}]}]")
    assert "no way to reach Slack" in problem


def test_an_incoming_webhook_needs_no_channel():
    text = "route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{api_url: 'https://h/x'}]}]"
    assert load_text(text, "f", {}).receivers[0].slack_configs[0].channel == ""


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order():
    problems = told(
        """\
        global: {resolve_timeout: soon}
        route: {receiver: b, group_by: [a, a]}
        receivers: [{name: a, webhook_configs: [{url: x}, {}]}]
        redis: {url: '${NOT_SET}'}
        tracing: {endpoint: x}
        """
    )
    assert [problem.split(": ")[1] for problem in problems] == [
        "global.resolve_timeout",
        "route.receiver",
        "route.group_by",
        "receivers[0].webhook_configs[0].url",
        "receivers[0].webhook_configs[1]",
        "redis.url",
        "tracing",
    ]


def test_what_is_not_supported_says_what_would_be_lost():
    (problem,) = told(GOOD + "tracing: {endpoint: x}")
    assert "is not supported by this version of Tocsin" in problem
    assert "no traces would be sent" in problem


@pytest.mark.parametrize("key", sorted(UNSUPPORTED["Config"]))
def test_a_section_that_is_not_supported_may_stand_empty(key):
    assert load_text(GOOD + f"{key}: []\n", "f", {})
    assert load_text(GOOD + f"{key}:\n", "f", {})


def test_an_alertmanager_file_without_templates_loads():
    text = receiver("slack_configs: [{channel: x, text: plain}]") + "templates: []\ninhibit_rules: []\n"
    assert load_text(text, "/etc/alertmanager/alertmanager.yml", {})


def test_an_alertmanager_file_has_go_templates_unless_it_says_otherwise():
    text = receiver("slack_configs: [{channel: x, text: 'on {{ status }}'}]")
    assert load_text(text, "tocsin.yaml", {})
    assert load_text(text + "template_language: jinja\n", "alertmanager.yml", {})
    (problem,) = told(text, "etc/alertmanager.yml")
    assert problem.startswith(
        "etc/alertmanager.yml:5:44: receivers[0].slack_configs[0].text: a file of Alert"
    )


SECRETS = """\
global: {slack_api_url: hunter2, smtp_auth_password: [hunter2], slack_app_token_file: {a: hunter2}}
route: {receiver: '${KEY}', group_wait: '${KEY}', matchers: ['${KEY}'], continue: '${KEY}'}
receivers:
  - name: a
    pagerduty_configs: [{routing_key: [hunter2], url: '${KEY}', severity: [x], links: '${KEY}'}]
    webhook_configs: [{url: hunter2, secret: {hunter2: x}, max_alerts: '${KEY}', timeout: '${KEY}'}]
    email_configs: [{to: a, smarthost: '${KEY}', headers: {a: ['${KEY}']}, require_tls: '${KEY}'}]
redis: {url: 'redis//:hunter2@x', shards: '${KEY}'}
auth: {tokens: [{name: x, token: {a: hunter2}, hash: hunter2, scopes: ['${KEY}']}]}
template_language: '${KEY}'
limits: {body: '${KEY}'}
"""


def test_no_secret_is_ever_shown():
    problems = told(SECRETS)
    assert len(problems) > 20
    assert "hunter2" not in "\n".join(problems).replace("secret.hunter2", "")


def test_a_configuration_does_not_show_its_secrets():
    text = receiver("pagerduty_configs: [{routing_key: '${KEY}'}]") + "redis: {url: 'redis://:hunter2@h'}\n"
    config = load_text(text, "f", ENV)
    assert config.receivers[0].pagerduty_configs[0].routing_key.get_secret_value() == ENV["KEY"]
    assert "hunter2" not in repr(config) + str(config) + config.model_dump_json()


def test_numbers_and_words_are_text_where_text_is_meant():
    text = receiver("pagerduty_configs: [{routing_key: 0123, details: {code: 5, on: yes}, class: 1.0}]")
    pagerduty = load_text(text, "f", {}).receivers[0].pagerduty_configs[0]
    assert pagerduty.routing_key.get_secret_value() == "0123"
    assert pagerduty.details == {"code": "5", "on": "yes"}
    assert pagerduty.class_ == "1.0"


def test_variables_may_stand_for_numbers_and_switches():
    text = GOOD + "redis: {shards: '${N}'}\nglobal: {smtp_require_tls: '${TLS:-no}'}\n"
    config = load_text(text, "f", {"N": "4"})
    assert config.redis.shards == 4
    assert config.global_.smtp_require_tls is False


def test_defaults_are_alertmanagers_and_the_designs():
    config = load_text(GOOD, "f", {})
    assert (config.global_.resolve_timeout, config.global_.smtp_hello) == (300_000, "localhost")
    assert (config.redis.url, config.redis.shards, config.redis.retention) == (None, 1, 30 * 86_400_000)
    assert (config.dedup.reorder, config.dedup.confirm, config.dedup.stale_after) == (
        45_000,
        330_000,
        43_200_000,
    )
    assert config.limits.body == 32 * 2**20
    assert config.auth.tokens == ()


def test_paths_count_from_the_folder_of_the_file(tmp_path):
    file = tmp_path / "tocsin.yaml"
    file.write_text(receiver("pagerduty_configs: [{routing_key_file: keys/pd}, {routing_key_file: /run/pd}]"))
    first, second = load(file, {}).receivers[0].pagerduty_configs
    assert (str(first.routing_key_file), str(second.routing_key_file)) == (f"{tmp_path}/keys/pd", "/run/pd")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1:1: the file is empty"),
        (b"a: 1\nb: \xff\n", "2:4: the byte 0xff is not UTF-8; expected a file saved as UTF-8"),
        ("route: x".encode("utf-16"), "1:1: the byte 0xff is not UTF-8"),
        (b"a: \x00\n", "1:4: the character '\\x00' is not allowed in YAML"),
        (b"x" * 10_000_000, "1:1: larger than 4 MiB"),
    ],
    ids=["empty", "latin-1", "utf-16", "nul", "10 MB"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content, expected):
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert expected in str(caught.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="this is a folder"):
        load(tmp_path, {})
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "no.yaml", {})


def test_very_many_mistakes_are_cut_short():
    problems = told(GOOD + "".join(f"x{n}: 1\n" for n in range(500)))
    assert len(problems) == 101
    assert "400 more problems follow" in problems[-1]


KEYS = re.findall(
    r"\w+",
    """global route receivers templates redis auth tokens name receiver matchers match group_by routes
 continue pagerduty_configs slack_configs email_configs webhook_configs url to headers http_config tls_config
 fields group_wait scopes token limits body details images smtp_smarthost slack_api_url inhibit_rules equal
 source_matchers target_match time_intervals mute_time_intervals times start_time end_time weekdays location
 severities names aliases default teams team_defaults team_rules users lead slack_id slack_channel pagerduty
 pagerduty_file escalation_policies steps notify team user policy after unless ack_timeout labels""",
)
values = st.recursive(
    st.none()
    | st.sampled_from(["a", "", "5", "5m", "http://h", "...", "x=y", "yes", "${KEY}", "a@b", "lead"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=6))
def test_any_shape_is_a_configuration_or_problems_in_plain_words(data):
    try:
        load_text(json.dumps(data), "f", ENV)
    except ConfigError as error:
        text = str(error)
        assert "pydantic" not in text
        assert "expected another value" not in text
        assert "Input should" not in text
        assert "hunter2" not in text
