"""`${VAR}` in a value, filled in from the environment.

`${VAR}` is replaced by the environment's value, `${VAR:-default}` by `default` if VAR is unset or empty;
`$${` is a plain `${`. Any other `$` is itself, so regular expressions and passwords need no escape. What
is filled in is not looked at again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE: Final = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?"
)


def unset(text: str, env: Mapping[str, str]) -> frozenset[str]:
    """The variables in `text` that have neither a value nor a default."""
    used = _VARIABLE.finditer(text)
    return (
        frozenset(found["name"] for found in used if found["name"] and found["default"] is None) - env.keys()
    )


def fill_in(text: str, env: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with its variables replaced, and what is wrong with those that are left as written."""
    wrong: list[str] = []

    def replace(found: re.Match[str]) -> str:
        name, default = found["name"], found["default"]
        if found["escaped"]:
            return "${"
        if name is None:
            wrong.append("'${' begins no variable; expected ${NAME}, ${NAME:-default}, or $${ for a plain ${")
            return found.group()
        value = env.get(name)
        if default is not None:
            return value or default
        if value is None:
            wrong.append(f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}")
            return found.group()
        return value

    return _VARIABLE.sub(replace, text), wrong
