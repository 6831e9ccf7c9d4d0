"""Secrets in files of their own: read when used, read again when changed."""

import pytest
from pydantic import SecretStr

from config.schema import SecretError, reveal


def test_a_secret_in_the_configuration_goes_first_and_none_is_empty(tmp_path):
    assert reveal(SecretStr("a"), tmp_path / "b") == "a"
    assert reveal(None, None) == ""


def test_a_file_is_read_without_white_space_and_again_when_it_changed(tmp_path):
    file = tmp_path / "key"
    file.write_text("  first\n")
    assert reveal(None, file) == "first"
    replacement = tmp_path / "next"
    replacement.write_text("other\n")
    replacement.replace(file)
    assert reveal(None, file) == "other"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read the secret in"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * 70_000, "longer"),
    ],
)
def test_a_file_without_a_secret_says_what_is_wrong_but_not_what_is_in_it(tmp_path, content, says):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SecretError, match=says) as caught:
        reveal(None, file)
    assert "xxx" not in str(caught.value)
