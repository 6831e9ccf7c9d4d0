"""What lies in the repository works on any machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = 400_000  # bytes

# Put together here, so that this file does not find itself.
HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry" + ".npmjs",
    "proxy" + ".golang",
    "deb" + ".debian.org",
]
PLACES = ["/" + "root/", "/" + "work/", "/" + r"home/\w+", "/" + "opt/wheels", "/" + "Users/"]
FORBIDDEN = re.compile(
    "|".join([re.escape(host) for host in HOSTS] + [rf"(?<![\w.]){place}" for place in PLACES])
)


def tracked() -> list[Path]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git working tree")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for name in names.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_package_index():
    found = []
    for path in tracked():
        text = path.read_text(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert not found


def test_no_file_is_too_large_to_read():
    assert not [path for path in tracked() if path.stat().st_size > LARGEST]


def test_the_licence_is_in_it():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
