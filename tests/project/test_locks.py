"""The locks say exactly what is installed, for what `pyproject.toml` asks, and from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FILE = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = FILE["project"]
ASKED = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-dev.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
    "requirements-build.lock": FILE["build-system"]["requires"],
}
LOCKS = sorted(ASKED)
PLATFORMS = [
    {"sys_platform": system, "platform_machine": machine, "python_full_version": version}
    for system, machine in [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
    ]
    for version in ("3.11.2", "3.13.0")
]


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
        for platform in PLATFORMS:
            wanted, installed = (not each.marker or each.marker.evaluate(platform) for each in (asked, found))
            assert wanted == installed, f"{name}: {found} on {platform}"


def test_what_only_some_pythons_need_is_locked_for_them():
    found, _ = locked("requirements.lock")["async-timeout"]  # redis needs it on Debian 12's Python 3.11.2
    assert found.marker
    assert found.marker.evaluate({"python_full_version": "3.11.2"})


def test_tests_run_with_the_versions_that_users_get():
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: str(dev[name][0]) for name in runtime} == {
        name: str(found) for name, (found, _) in runtime.items()
    }


@pytest.mark.parametrize("name", LOCKS)
def test_it_names_no_address_and_no_option(name):
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]
