"""Records that do not change: another one that differs in a few fields.

`dataclasses.replace` asks for each field by name, in Python; of a record with thirty fields that costs more
than deciding does (bench/simulation.py: a fifth of a simulation).
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


def replace(record: T, **changes: Any) -> T:
    """As `dataclasses.replace`, for data classes with two fields or more that are all given to `__init__`.

    Raises:
        KeyError: there is no such field.
    """
    kind: Any = type(record)
    positions, values_of = _shape(kind)
    values = list(values_of(record))
    for name, value in changes.items():
        values[positions[name]] = value
    changed: T = kind(*values)
    return changed


@cache
def _shape(kind: type) -> tuple[Mapping[str, int], Callable[[Any], tuple[Any, ...]]]:
    names = [field.name for field in fields(kind)]
    return {name: position for position, name in enumerate(names)}, attrgetter(*names)
