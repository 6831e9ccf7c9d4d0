"""Durations, sizes and addresses as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.values import (
    MAX_DURATION,
    BaseUrl,
    Duration,
    PositiveDuration,
    SecretUrl,
    Size,
    SlackApiUrl,
    Smarthost,
    StoreUrl,
    parse_duration,
    show_duration,
)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("30s", 30_000),
        ("5m", 300_000),
        ("4h", 14_400_000),
        ("1d", 86_400_000),
        ("1w", 604_800_000),
        ("1y", 31_536_000_000),
        ("250ms", 250),
        ("1h30m", 5_400_000),
        ("1m5ms", 60_005),
        ("1y2w3d4h5m6s7ms", 31_536_000_000 + 1_209_600_000 + 259_200_000 + 14_706_007),
        ("007s", 7_000),
        (5, 5),
    ],
)
def test_a_duration_is_read_as_in_prometheus(text, milliseconds):
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 m",
        "-5m",
        "1.5h",
        "5M",
        "5m1h",
        "1ms1s",
        "5m5m",
        "\N{ARABIC-INDIC DIGIT FIVE}m",
        "300y",
        "9" * 30 + "s",
        True,
        None,
        [],
    ],
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


def test_an_interval_of_zero_is_refused_and_a_wait_of_zero_is_not():
    assert TypeAdapter(Duration).validate_python("0s") == 0
    with pytest.raises(ValidationError, match="cannot be zero"):
        TypeAdapter(PositiveDuration).validate_python("0s")


@given(st.integers(0, MAX_DURATION))
def test_every_number_of_milliseconds_can_be_written(milliseconds):
    assert parse_duration(f"{milliseconds}ms") == milliseconds


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("32MiB", 32 * 2**20), ("500KB", 500_000), ("1 GiB", 2**30), ("7B", 7)]
)
def test_a_size_is_bytes_or_has_a_unit(text, size):
    assert TypeAdapter(Size).validate_python(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5MiB", "1mib", "1TB", "lots"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Size).validate_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "http://",
        "http://a b",
        "http://[",
        "http://h:99999",
        "http://a\nb",
    ],
)
def test_what_is_no_web_address_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(SecretUrl).validate_python(text)


def test_addresses_are_put_in_one_form():
    assert TypeAdapter(BaseUrl).validate_python("https://t.example/") == "https://t.example"
    for text in ("https://slack.com/api", "https://slack.com/api/", "https://slack.com/api/chat.postMessage"):
        assert TypeAdapter(SlackApiUrl).validate_python(text) == "https://slack.com/api/"


@pytest.mark.parametrize(
    "text", ["redis://h", "rediss://h:1/2", "unix:///run/redis.sock", "redis://:pw@[::1]:6379"]
)
def test_the_store_is_named_by_its_address(text):
    assert TypeAdapter(StoreUrl).validate_python(text).get_secret_value() == text


def test_the_embedded_store_is_no_address():
    assert TypeAdapter(StoreUrl).validate_python("embedded") is None


@pytest.mark.parametrize("text", ["localhost", ":25", "h:", "h:0", "h:65536", "h:smtp"])
def test_a_mail_server_needs_a_port(text):
    with pytest.raises(ValidationError, match="HOST:PORT"):
        TypeAdapter(Smarthost).validate_python(text)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(0, "0s"), (250, "250ms"), (30_000, "30s"), (5_400_000, "1h30m"), (694_861_001, "1w1d1h1m1s1ms")],
)
def test_a_duration_is_shown_as_it_is_written(milliseconds, written):
    assert show_duration(milliseconds) == written
    assert parse_duration(written) == milliseconds
