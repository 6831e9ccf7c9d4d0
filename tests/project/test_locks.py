"""The locks say exactly what is installed, for what `pyproject.toml` asks, and from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-dev.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
    "requirements-build.lock": ["setuptools>=77"],
}
LOCKS = sorted(ASKED)


def locked(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Each requirement of a lock by its name, with its hashes."""
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            requirement, *hashes = line.split(" --hash=sha256:")
            parsed = Requirement(requirement)
            found[canonical(parsed.name)] = parsed, [value.strip() for value in hashes]
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_version_is_exact_and_hashed(name):
    for requirement, hashes in locked(name).values():
        assert re.fullmatch(r"==[\w.!+]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in hashes), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_it_has_what_the_project_asks_for_on_the_platforms_it_asks_it_for(name):
    lock = locked(name)
    for text in ASKED[name]:
        asked = Requirement(text)
        assert canonical(asked.name) in lock, f"{asked.name} is not in {name}: run `make lock`"
        found, _ = lock[canonical(asked.name)]
        version = str(found.specifier).removeprefix("==")
        assert asked.specifier.contains(version), f"{name} has {found}, asked for is {asked}: run `make lock`"
        assert str(found.marker) == str(asked.marker), (
            f"{name}: {found.name} is for other platforms than asked"
        )


def test_tests_run_with_the_versions_that_users_get():
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: str(dev[name][0]) for name in runtime} == {
        name: str(found) for name, (found, _) in runtime.items()
    }


@pytest.mark.parametrize("name", LOCKS)
def test_it_names_no_address_and_no_option(name):
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]
