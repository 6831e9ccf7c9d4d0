"""The JSON Schema for editors, and that all sections are documented and refuse strangers."""

import json

import pytest

from config import schema
from config.section import Section, keys_of
from config.unsupported import UNSUPPORTED


def below(section):
    return [found for kind in section.__subclasses__() for found in (kind, *below(kind))]


SECTIONS = below(Section)


def names(kind):
    return {section.__name__: section for section in SECTIONS}[kind]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_section_refuses_unknown_keys_and_says_what_it_is(section):
    assert section.model_config["extra"] == "forbid"
    assert section.model_config["frozen"]
    assert section.__doc__


@pytest.mark.parametrize("kind", sorted(UNSUPPORTED))
def test_what_is_not_supported_is_not_supported(kind):
    assert not UNSUPPORTED[kind].keys() & keys_of(names(kind)).keys()


def test_the_json_schema_has_the_keys_as_written_in_a_file():
    made = schema.json_schema()
    assert made["$schema"].endswith("2020-12/schema")
    assert {"global", "route", "receivers", "redis", "auth"} <= made["properties"].keys()
    assert made["required"] == ["route"]
    assert "continue" in made["$defs"]["RouteConfig"]["properties"]
    assert "from" in made["$defs"]["EmailConfig"]["properties"]
    assert made["additionalProperties"] is False
    json.dumps(made)


def test_durations_are_patterns_and_variables_may_stand_for_numbers():
    made = schema.json_schema()
    assert r"(\\d+h)?" in json.dumps(made["$defs"]["RouteConfig"]["properties"]["group_wait"])
    shards = made["$defs"]["RedisConfig"]["properties"]["shards"]
    assert [kind["type"] for kind in shards["anyOf"]] == ["integer", "string"]
    assert made["$defs"]["SlackField"]["properties"]["title"]["type"] == ["string", "number", "boolean"]


def test_secrets_are_marked_as_such():
    key = schema.json_schema()["$defs"]["PagerDutyConfig"]["properties"]["routing_key"]
    assert key["anyOf"][0]["format"] == "password"
