"""Do Tocsin's four packages lie side by side?

`config`, `routing`, `receivers` and `gateway` are names that others use too. Where another distribution's
`config` lies in front of ours, imports would fail much later with a message that explains nothing. This is
asked first, before any of them is imported. It does not notice a foreign file written over one of ours.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

# A file that each of our packages has: a package of the same name without it is not ours.
LANDMARKS: Final = {
    "config": "schema.py",
    "routing": "alerts.py",
    "receivers": "base.py",
    "gateway": "cli/packages.py",
}


def misplaced(home: Path) -> str:
    """What is wrong with the four packages, in one line; empty if all of them lie in the folder `home`."""
    for name, landmark in LANDMARKS.items():
        found = _folder(name)
        if found is None:
            return f"the package `{name}` is missing: it should lie in {home}"
        if found.parent != home:
            return f"Python finds the package `{name}` in {found}, but Tocsin's own lies in {home}"
        if not (found / landmark).is_file():
            return f"the package `{name}` in {found} is not Tocsin's, or not whole: {landmark} is missing"
    return ""


def _folder(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    # A module in one file, or a frozen one: where it lies is all that can be said.
    return Path(spec.origin).resolve() if spec.origin else None
