"""A document as written, whatever its shape: what `rules.py` and `people_rules.py` look at it with.

A part of the wrong shape is passed over, because the schema says so already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from config.problems import Path, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


class Mistake(NamedTuple):
    """A problem at a path; `key` points at the key there, `offset` that many characters into the value.

    `unquoted` is the message where a variable is filled in, if `message` could show a part of its value.
    """

    path: Path
    message: str
    key: bool = False
    offset: int = 0
    unquoted: str = ""


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is one, else an empty one."""
    return value if isinstance(value, dict) else {}


def entries(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings in the list at `key`, with their positions."""
    value = data.get(key)
    return (
        [(i, item) for i, item in enumerate(value) if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def texts(data: dict[str, Any], key: str) -> list[str]:
    """The texts in the list at `key`."""
    value = data.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def at_most_one(path: Path, data: dict[str, Any], keys: Iterable[str]) -> Iterator[Mistake]:
    """Keys that say the same in two ways."""
    given = [key for key in keys if data.get(key)]
    for key in given[1:]:
        yield Mistake((*path, key), f"stands beside {given[0]}; expected only one of the two", key=True)


def children(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What a mapping or a list holds, with its key or position."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def names(data: dict[str, Any], *keys: str) -> frozenset[str]:
    """The names of what stands in these lists, as far as they have one."""
    found = (item.get("name") for key in keys for _, item in entries(data, key))
    return frozenset(name for name in found if isinstance(name, str))


def unique(data: dict[str, Any], what: str, *keys: str, at: Path = ()) -> Iterator[Mistake]:
    """Names that stand twice in these lists of the mapping at `at`."""
    seen: set[str] = set()
    for key in keys:
        for index, item in entries(data, key):
            name = item.get("name")
            if isinstance(name, str) and name in seen:
                message = f"the {what} {name!r} stands here twice; expected unique names"
                yield Mistake((*at, key, index, "name"), message)
            seen.add(name if isinstance(name, str) else "")


def unknown(path: Path, name: Any, what: str, known: Collection[str], where: str) -> Iterator[Mistake]:
    """A name that nothing has; one that is no text is the schema's matter."""
    if isinstance(name, str) and name and name not in known:
        message = f"there is no {what} {name!r}; expected the name of one in {where}"
        yield Mistake(path, message + did_you_mean(name, sorted(known)))
