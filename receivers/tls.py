"""How a server is checked and what we show it: `tls_config` as a context of Python's `ssl`.

A context is made once and again when one of its files changes, so that a rotated certificate counts at the
next connection. It opens no connection.
"""

from __future__ import annotations

import ssl
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from config.schema import TLSConfig

_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


class TLSFileError(ValueError):
    """A certificate or key cannot be used; the message names the file and the reason, never its content."""


def client_context(tls: TLSConfig | None) -> ssl.SSLContext:
    """The context for connections to a server. It reads files: call it in a thread.

    Raises:
        TLSFileError: a file of `tls` is missing or is not what it should be.
    """
    return _context(tls, tuple(_stamp(file) for file in files(tls)))


def files(tls: TLSConfig | None) -> list[Path]:
    """The files that `tls` names."""
    named = (tls.ca_file, tls.cert_file, tls.key_file) if tls else ()
    return [file for file in named if file is not None]


def _stamp(file: Path) -> tuple[int, int]:
    try:
        state = file.stat()
    except OSError as error:
        raise TLSFileError(f"cannot read {file}: {error.strerror}") from None
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=64)
def _context(tls: TLSConfig | None, _stamps: tuple[tuple[int, int], ...]) -> ssl.SSLContext:
    if tls is None:
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TLSFileError(f"{tls.ca_file} holds no certificates in PEM form ({_reason(error)})") from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # whoever asks for TLS 1.0 knows that it is old
        context.minimum_version = _VERSIONS[tls.min_version]
    if tls.cert_file is not None:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        except (OSError, ssl.SSLError) as error:
            pair = f"{tls.cert_file} and {tls.key_file}" if tls.key_file else f"{tls.cert_file}"
            raise TLSFileError(f"{pair} are no certificate with its key ({_reason(error)})") from None
    return context


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def explain(error: BaseException) -> str:
    """Why a TLS connection failed, in words; "" if `error` has nothing to do with TLS."""
    cause: BaseException | None = getattr(error, "certificate_error", error)  # aiohttp's own wrapping
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message
            return f"its certificate is not trusted: {reason}; see ca_file and server_name in tls_config"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or 'no reason given').replace('_', ' ').lower()}"
        cause = cause.__cause__ or cause.__context__
    return ""
