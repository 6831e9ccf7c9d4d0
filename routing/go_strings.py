r"""Go's double-quoted strings: how Alertmanager prints text, and how its UTF-8 matchers write it.

Rules: the Go specification, string literals, as `strconv.Quote` prints them and `strconv.Unquote` reads
them. What stands between the quotes is one line; `\x` and octal escapes give bytes, and all bytes together
must be UTF-8.
"""

from __future__ import annotations

import re
from typing import Final

_SHORT: Final = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)) | {'"': '"', "\\": "\\"}
_PRINTED: Final = {meaning: f"\\{letter}" for letter, meaning in _SHORT.items()}
_PART: Final = re.compile(
    r"""\\(?:(?P<short>[abfnrtv"\\]) | x(?P<hex>[0-9a-fA-F]{2}) | (?P<octal>[0-3][0-7]{2})
           | u(?P<four>[0-9a-fA-F]{4}) | U(?P<eight>[0-9a-fA-F]{8}))
      | (?P<plain>[^\\\n]+)""",
    re.VERBOSE,
)


class EscapeError(ValueError):
    """The text cannot stand between Go's quotes. `at` is the character, from 0, where it goes wrong."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def quote(text: str) -> str:
    """As Go's `%q` prints a string: quoted, with what cannot be seen escaped."""
    return '"' + "".join(_PRINTED.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquote(inner: str) -> str:
    r"""What stands between Go's quotes, its escapes resolved: `a\u00e9` is `aé`.

    Raises:
        EscapeError: an escape that Go does not know, a line break, or bytes that are not UTF-8.
    """
    found = bytearray()
    at = 0
    while at < len(inner):
        part = _PART.match(inner, at)
        if part is None:
            raise EscapeError(_trouble(inner[at : at + 2]), at)
        found += _bytes(part, at)
        at = part.end()
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise EscapeError("the bytes of its escapes together are not UTF-8", 0) from None


def _bytes(part: re.Match[str], at: int) -> bytes:
    text = part[part.lastgroup or 0]
    match part.lastgroup:
        case "hex":
            return bytes([int(text, 16)])
        case "octal":
            return bytes([int(text, 8)])
        case "short":
            return _SHORT[text].encode()
        case "four" | "eight":
            code = int(text, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise EscapeError(f"{part[0]} is no character of Unicode", at)
            return chr(code).encode()
        case _:
            return text.encode(errors="surrogatepass")  # then refused with all that is not UTF-8


def _trouble(seen: str) -> str:
    if seen.startswith("\n"):
        return "a line break inside the quotes; expected it written as \\n"
    return f"{seen} is no escape here; expected \\\\ for a backslash"
