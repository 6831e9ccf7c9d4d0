"""What of a `tls_config` cannot be used is said with the file and the reason."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from config.schema import TLSConfig
from receivers.tls import TLSFileError, client_context

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_configuration_servers_are_checked() -> None:
    context = client_context(None)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_the_oldest_version_is_the_one_that_is_asked_for() -> None:
    assert client_context(TLSConfig()).minimum_version is ssl.TLSVersion.TLSv1_2
    assert client_context(TLSConfig(min_version="TLS10")).minimum_version is ssl.TLSVersion.TLSv1
    assert client_context(TLSConfig(min_version="TLS13")).minimum_version is ssl.TLSVersion.TLSv1_3


def test_nothing_is_checked_where_that_is_asked_for() -> None:
    context = client_context(TLSConfig(insecure_skip_verify=True))
    assert not context.check_hostname
    assert context.verify_mode is ssl.CERT_NONE


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    missing, junk = tmp_path / "missing.pem", tmp_path / "junk.pem"
    junk.write_text("junk-content")
    cases = [
        (TLSConfig(ca_file=missing), f"cannot read {missing}: No such file or directory"),
        (TLSConfig(ca_file=junk), f"{junk} holds no certificates in PEM form"),
        (TLSConfig(cert_file=junk, key_file=junk), f"{junk} and {junk} are no certificate with its key"),
    ]
    for tls, problem in cases:
        with pytest.raises(TLSFileError) as caught:
            client_context(tls)
        assert str(caught.value).startswith(problem)
        assert "junk-content" not in str(caught.value)


def test_a_context_is_kept_until_its_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    tls = TLSConfig(ca_file=file)
    first = client_context(tls)
    assert client_context(tls) is first
    trustme.CA(organization_name="another").cert_pem.write_to_path(str(file))
    assert client_context(tls) is not first
