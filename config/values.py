"""The kinds of values that a configuration has beyond text and numbers: durations, sizes, addresses.

Each is an annotated type that reads what people write and says in plain words what it expected. In a
configuration every scalar arrives as text (see `source.py`), so numbers given as numbers come from
Python only: defaults and pinned configurations.

Rules: durations as in `prometheus/common` (`model/time.go`), matchers as in `routing/matchers.py`. Label
names are what Alertmanager 0.27 and newer take in the same places: any UTF-8 text in `group_by` and `equal`,
but Prometheus' classic names in the deprecated `match` and `match_re`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from routing.matchers import MatcherError, compile_regex, parse_matchers

MAX_DURATION: Final = (2**63 - 1) // 1_000_000  # Go's limit, about 292 years, in milliseconds
MAX_ATTEMPT: Final = 30_000  # milliseconds after which the sender breaks an attempt off

_UNITS: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION: Final = re.compile(
    "".join(f"(?:([0-9]{{1,20}}){unit})?" for unit in ("y", "w", "d", "h", "m(?!s)", "s", "ms")), re.ASCII
)
_DURATION_SCHEMA: Final = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$",
            "minLength": 1,
        },
        {"const": 0},
    ],
    "description": "A duration as in Prometheus: 30s, 5m, 1h30m, 12h, 30d.",
    "examples": ["30s", "5m", "4h"],
}
_BYTES: Final = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_SIZE: Final = re.compile(r"([0-9]{1,15})\s*(B|KB|MB|GB|KiB|MiB|GiB)?", re.ASCII)
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


def wrong(what: str, expected: str, column: int | None = None) -> PydanticCustomError:
    """The error of a value: what is wrong with it, what was expected, and where inside it (from 1).

    `what` may quote the value unless it is a secret; it is left out where `${VAR}` was filled in.
    """
    context = {"what": what, "expected": expected, "column": column}
    return PydanticCustomError("tocsin", "{what}; expected {expected}", context)


def quote(text: str) -> str:
    """A value in an error: quoted, on one line, not endless."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def parse_duration(value: Any) -> int:
    """Milliseconds of `1h30m`; a number is milliseconds already."""
    expected = "a duration such as 30s, 5m or 1h30m (units y w d h m s ms, in this order)"
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise wrong("not a duration", expected)
    if value == "0":
        return 0
    parts = _DURATION.fullmatch(value)
    if not value or parts is None:
        hint = "a number without a unit" if value.isdigit() else f"{quote(value)} is no duration"
        raise wrong(hint, expected)
    total = sum(int(count) * unit for count, unit in zip(parts.groups("0"), _UNITS.values(), strict=True))
    if total > MAX_DURATION:
        raise wrong(f"{quote(value)} is longer than 292 years", "a shorter duration")
    return total


def show_duration(milliseconds: int) -> str:
    """As configurations write it: `1h30m`, `250ms`, `0s`."""
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _positive(value: int) -> int:
    if value <= 0:
        raise wrong("cannot be zero", "a duration longer than 0s")
    return value


def _attempt(value: Any) -> int:
    """The time limit of an attempt; a number is not refused: a version that took it may have pinned it."""
    limit = parse_duration(value)
    if isinstance(value, str) and limit > MAX_ATTEMPT:
        raise wrong(f"{quote(value)} is longer than one attempt may take", f"at most {MAX_ATTEMPT // 1_000}s")
    return limit


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    parts = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise wrong("not a size", "a size such as 32MiB, 500KB or a number of bytes")
    return int(parts[1]) * _BYTES[parts[2] or ""]


def _address(schemes: tuple[str, ...]) -> Callable[[str], str]:
    expected = "an address such as " + " or ".join(f"{scheme}://HOST" for scheme in schemes)

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise wrong("not an address", expected) from None
        if parts.scheme not in schemes:
            raise wrong(f"the address begins with none of {', '.join(f'{s}://' for s in schemes)}", expected)
        if not host and parts.scheme != "unix":
            raise wrong("the address names no host", expected)
        if any(char.isspace() or not char.isprintable() for char in value):
            raise wrong("the address contains a space or a control character", expected)
        return value

    return check


def _secretly(check: Callable[[str], str]) -> Callable[[SecretStr], SecretStr]:
    return lambda value: SecretStr(check(value.get_secret_value()))


def _given(value: str) -> str:
    if not value.strip():
        raise wrong("the secret is empty", "a value, or no such key at all")
    return value


def _embedded(value: Any) -> Any:
    return None if value == "embedded" else value


def _beside_the_file(value: Path, info: ValidationInfo) -> Path:
    """Relative paths count from the folder of the configuration, as in Alertmanager."""
    base = (info.context or {}).get("base")
    return base / value if isinstance(base, Path) else value


def _label(value: str) -> str:
    if _LABEL.fullmatch(value) is None:
        raise wrong(f"{quote(value)} is no label name", "letters, digits and _, no digit first")
    return value


def _utf8_label(value: str) -> str:
    if not value or any("\ud800" <= char <= "\udfff" for char in value):
        raise wrong(f"{quote(value)} is no label name", "any text that is not empty")
    return value


def _matchers(value: str) -> str:
    try:
        parse_matchers(value)
    except MatcherError as error:
        what, _, expected = str(error).partition("; expected ")
        raise wrong(what, expected or 'a matcher such as severity="critical"', error.column) from None
    return value


def _regex(value: str) -> str:
    try:
        compile_regex(value)
    except MatcherError as error:
        raise wrong(str(error), "a regular expression such as db-.*|cache") from None
    return value


def _smarthost(value: str) -> str:
    if not value:
        return value  # not given: `rules.py` says where one is needed
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise wrong(
            f"{quote(value)} is no mail server with its port", "HOST:PORT such as smtp.example.com:587"
        )
    return value


def _web_api(value: str) -> str:
    """Slack's Web API. Alertmanager names one method of it; here it is the address of all."""
    return value.removesuffix("chat.postMessage").rstrip("/") + "/"


def _hash(value: str) -> str:
    if _HASH.fullmatch(value) is None:
        raise wrong("not a hash of a token", "sha256: and 64 hexadecimal digits in lower case")
    return value


_web_address = _address(("http", "https"))

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Duration = Annotated[int, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
AttemptLimit = Annotated[int, BeforeValidator(_attempt), WithJsonSchema(_DURATION_SCHEMA)]
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "pattern": _SIZE.pattern, "examples": ["32MiB"]}),
]
LabelName = Annotated[str, AfterValidator(_label)]
Utf8LabelName = Annotated[str, AfterValidator(_utf8_label)]
Matchers = Annotated[str, AfterValidator(_matchers)]
Regex = Annotated[str, AfterValidator(_regex)]
Url = Annotated[str, AfterValidator(_web_address)]
BaseUrl = Annotated[Url, AfterValidator(lambda value: value.rstrip("/"))]
SlackApiUrl = Annotated[Url, AfterValidator(_web_api)]
Secret = Annotated[SecretStr, AfterValidator(_secretly(_given))]
SecretUrl = Annotated[SecretStr, AfterValidator(_secretly(_web_address))]
StoreUrl = Annotated[
    Annotated[SecretStr, AfterValidator(_secretly(_address(("redis", "rediss", "unix"))))] | None,
    BeforeValidator(_embedded),
]
SecretFile = Annotated[Path, AfterValidator(_beside_the_file)]
Smarthost = Annotated[str, AfterValidator(_smarthost)]
TokenHash = Annotated[str, AfterValidator(_hash)]
