"""What README and deploy/ show is what works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from config.load import load_text
from gateway.cli import application

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ENVIRONMENT = {
    "SLACK_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
    "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
    "TOCSIN_INGEST_TOKEN": "0123456789abcdef0123456789abcdef",
    "TOCSIN_PEOPLE_TOKEN": "fedcba9876543210fedcba9876543210",
}


def named(file: str) -> list[str]:
    """The blocks whose first line is a comment with the file's name."""
    found = [text for kind, text in BLOCKS if kind == "yaml" and text.startswith(f"# {file}\n")]
    assert found, f"README shows no {file}"
    return found


def test_every_yaml_block_says_which_file_it_is():
    first_lines = {text.splitlines()[0] for kind, text in BLOCKS if kind == "yaml"}
    assert first_lines == {"# tocsin.yaml", "# alertmanager.yml", "# prometheus.yml"}


@pytest.mark.parametrize("text", [*named("tocsin.yaml"), (ROOT / "deploy/tocsin.yaml").read_text()])
def test_each_configuration_is_valid(text):
    load_text(text, "tocsin.yaml", ENVIRONMENT)


def test_the_first_configuration_has_ten_lines():
    assert len(named("tocsin.yaml")[0].splitlines()) <= 1 + 10


@pytest.mark.parametrize("text", [*named("alertmanager.yml"), (ROOT / "deploy/alertmanager.yml").read_text()])
def test_alertmanager_accepts_each_snippet(text, tmp_path, require_peer):
    (tmp_path / "alertmanager.yml").write_text(text)
    check = [require_peer("amtool"), "check-config", str(tmp_path / "alertmanager.yml")]
    run = subprocess.run(check, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_alertmanager_in_front_is_the_same_everywhere():
    shown, shipped = (
        yaml.safe_load(named("alertmanager.yml")[0]),
        yaml.safe_load((ROOT / "deploy/alertmanager.yml").read_text()),
    )
    assert shown["route"] == shipped["route"]


@pytest.mark.parametrize("text", named("prometheus.yml"))
def test_prometheus_accepts_each_snippet(text, tmp_path, require_peer):
    (tmp_path / "prometheus.yml").write_text(text)
    # Files that are named (a token) are not looked for.
    check = [require_peer("promtool"), "check", "config", "--syntax-only", str(tmp_path / "prometheus.yml")]
    run = subprocess.run(check, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("line", re.findall(r"^tocsin .*?(?=\s+#|$)", README, re.MULTILINE))
def test_each_command_exists(line):
    command, words = get_command(application()), line.split()[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("tocsin", [str(ROOT / "README.md") if "." in word else word for word in words])


def test_make_has_what_is_named():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"^make ([a-z]+)", (ROOT / document).read_text(), re.MULTILINE)) <= targets


def test_compose_gives_tocsin_all_that_its_configuration_asks_for():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    tocsin = compose["services"]["tocsin"]
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy/tocsin.yaml").read_text()))
    assert asked <= set(tocsin["environment"])


def test_compose_gives_alertmanager_the_token_that_its_configuration_reads():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    read = re.findall(r"/run/secrets/(\w+)", (ROOT / "deploy/alertmanager.yml").read_text())
    assert read
    assert compose["services"]["alertmanager"]["secrets"] == read
    assert set(compose["secrets"]) == set(read)


def test_compose_need_not_write_a_secret_into_what_is_read_only():
    """Compose refuses to: it copies a secret from the environment into the container's file system."""
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    copied = {name for name, secret in compose["secrets"].items() if "environment" in secret}
    for name, service in compose["services"].items():
        if service.get("read_only"):
            assert not copied & set(service.get("secrets", ())), name


def test_the_first_picture_is_what_the_simulation_prints():
    picture = r"^```console\n\$ (.*?\n>   .*?)\n(.*?)^```$"
    command, shown = re.search(picture, README, re.MULTILINE | re.DOTALL).groups()
    arguments = shlex.split(command.replace("\n>   ", " ").replace("\\", ""))
    assert arguments.pop(0) == "tocsin"
    run = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, shown), run.stderr
