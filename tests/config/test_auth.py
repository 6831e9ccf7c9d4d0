"""What links are signed with: long enough, from one place, and never shown."""

import pytest

from config.auth import link_keys
from config.load import ConfigError, load_text
from config.secret import SecretError

REST = "route: {receiver: a}\nreceivers: [{name: a}]\n"
ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def auth(text, **env):
    return load_text(f"auth: {{{text}}}\n{REST}", "tocsin.yaml", env).auth


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", []),
        ("link_expires: 1d", []),
        (f"link_secret: {ONE}", [ONE]),
        (f"link_secret: '{OTHER}  {ONE}'", [OTHER, ONE]),
        ("link_secret: '${KEYS}'", [OTHER, ONE]),
    ],
)
def test_the_first_key_signs_and_the_others_are_accepted(text, keys):
    assert link_keys(auth(text, KEYS=f"{OTHER}\n{ONE}\n")) == keys


def test_links_are_good_for_a_week_unless_it_is_said():
    assert auth("").link_expires == 7 * 86_400_000
    assert auth("link_expires: 12h").link_expires == 12 * 3_600_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "link_secret: s3cr3t",
            "auth.link_secret: the secret can be guessed; expected 16 characters or more",
        ),
        (f"link_secret: '{ONE} s3cr3t'", "auth.link_secret: the secret can be guessed"),
        (f"link_secret: {ONE}, link_secret_file: x", "auth.link_secret_file: stands beside link_secret"),
        ("link_expires: 0s", "auth.link_expires: cannot be zero"),
    ],
)
def test_a_mistake_is_said_and_shows_no_secret(text, said):
    with pytest.raises(ConfigError) as caught:
        auth(text)
    assert said in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert ONE not in str(caught.value)


def test_keys_in_a_file_stand_one_on_a_line_and_are_long_enough_too(tmp_path):
    file = tmp_path / "link"
    section = auth(f"link_secret_file: {file}")
    file.write_text(f"{OTHER}\n{ONE}\n")
    assert link_keys(section) == [OTHER, ONE]
    file.write_text("s3cr3t and others\n")
    with pytest.raises(SecretError, match="link can be guessed; expected 16 characters") as caught:
        link_keys(section)
    assert "s3cr3t" not in str(caught.value)
