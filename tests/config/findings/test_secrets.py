"""Secrets that everybody reads, files that hold none, templates that fail: `TOC501` to `TOC504`."""

import pytest

IN_RECEIVERS = [
    ("pagerduty_configs", "routing_key: R03EXAMPLE", "routing_key"),
    ("pagerduty_configs", "routing_key: '${PAGERDUTY_KEY}'", None),
    ("slack_configs", "api_url: 'https://hooks.slack.com/services/T0/B0/x'", "api_url"),
    ("webhook_configs", "url: 'https://user:pass@example.com/'", "url"),
    ("webhook_configs", "url: 'https://example.com/hook/a1b2c3d4e5f6a7b8c9d0e1f2'", "url"),
    ("webhook_configs", "url: 'https://example.com/alerts-for-the-backend-team'", None),
    ("webhook_configs", "url: 'https://example.com/', secret: s3cret", "secret"),
]
ELSEWHERE = [
    ("global: {slack_app_token: xoxb-1}", "global.slack_app_token"),
    ("global: {smtp_auth_password: x, smtp_auth_username: me}", "global.smtp_auth_password"),
    ("redis: {url: 'redis://:hunter2@db:6379'}", "redis.url"),
    ("redis: {url: 'redis://db:6379'}", None),
    ("auth: {tokens: [{name: ci, token: abcdefghijklmnop, scopes: [read]}]}", "auth.tokens[0].token"),
    ("teams: [{name: a, pagerduty: {low: R1, default: '${PAGERDUTY_KEY}'}}]", "teams[0].pagerduty.low"),
    ("teams: [{name: a, pagerduty: R1}]", "teams[0].pagerduty"),
]
CASES = ELSEWHERE + [
    (f"receivers: [{{name: default, {kind}: [{{{text}}}]}}]", key and f"receivers[0].{kind}[0].{key}")
    for kind, text, key in IN_RECEIVERS
]


@pytest.mark.parametrize(("text", "place"), CASES)
def test_a_secret_in_clear_text_is_found_and_not_shown(check, text, place):
    found = [one for one in check(f"{text}\n") if one.id == "TOC501"]
    assert [one.path for one in found] == ([place] if place else [])
    shown = " ".join(f"{one} {one.advice}" for one in found)
    assert not any(secret in shown for secret in ("hunter2", "pass@", "R03E", "s3cret"))


def test_the_advice_names_a_variable_and_a_key_for_a_file_where_there_is_one(check):
    text = "receivers: [{name: default, pagerduty_configs: [{routing_key: R03EXAMPLE}]}]\n"
    (finding,) = [one for one in check(text) if one.id == "TOC501"]
    assert (
        finding.advice
        == "Write ${ROUTING_KEY} and set it in the environment, or name a file in routing_key_file."
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "is empty"),
        ("R03EXAMPLE\n", ""),
    ],
)
def test_a_file_is_looked_at_beside_the_configuration(check, tmp_path, content, said):
    if content is not None:
        (tmp_path / "key").write_text(content)
    text = "receivers: [{name: default, pagerduty_configs: [{routing_key_file: key}]}]\n"
    found = [one for one in check(text) if one.id == "TOC504"]
    assert len(found) == bool(said)
    assert all(one.column == 68 for one in found)
    assert not [one for one in check(text, without_env=True) if one.id == "TOC504"]


TEMPLATES = [
    ("'{{ name | upper }}'", None, ""),
    ("'{{ labels.alertname }}'", "TOC502", "there is no variable 'labels'"),
    ("'{{ name | shout }}'", "TOC502", "No filter named 'shout'"),
    ("'{{ firing / resolved }}'", "TOC503", "fails for two alerts that fire: line 1: division by zero"),
    ("'{{ 1 / firing }}'", "TOC503", "fails for an alert that has ended: line 1: division by zero"),
    ("'{{ common_annotations.runbook.x.y }}'", None, ""),
    ("'{% for a in range(10000000) %}{% endfor %}'", "TOC503", "fails for two alerts that fire"),
    ("'no template'", None, ""),
]


@pytest.mark.parametrize(("template", "code", "said"), TEMPLATES)
def test_a_template_is_tried(check, template, code, said):
    slack = f"{{app_token: '${{SLACK_TOKEN}}', channel: c, title: {template}}}"
    text = f"receivers: [{{name: default, slack_configs: [{slack}]}}]\n"
    found = [one for one in check(text) if one.id in ("TOC502", "TOC503")]
    assert [one.id for one in found] == ([code] if code else [])
    assert all(said in one.reason for one in found)


def test_templates_are_found_in_lists_and_mappings_and_what_is_filled_in_is_not_shown(check):
    text = """\
        receivers:
          - name: default
            pagerduty_configs:
              - routing_key: ${PAGERDUTY_KEY}
                details: {load: '{{ nothing }}'}
                links: [{href: '{{ "${SLACK_TOKEN}" | nothing }}', text: '{{ url }}'}]
        """
    found = [one for one in check(text) if one.id == "TOC502"]
    assert [(one.line, one.path.rpartition("[0].")[2]) for one in found] == [(5, "details.load"), (6, "href")]
    assert not any("xoxb" in one.reason for one in found)
