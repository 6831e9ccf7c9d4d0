"""How the command is called: what is misuse, what help says, and where it must be installed."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
import typer

from gateway.cli.options import listen_address
from gateway.cli.packages import LANDMARKS, misplaced

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lst"], "No such command 'lst'."),
        (["incidents", "lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["--frobnicate"], "No such option: --frobnicate"),
        (["incidents", "list", "--status", "closed"], "'closed' is not one of 'open', 'triggered',"),
        (["incidents", "list", "--limit", "0"], "'--limit'"),
        (["incidents", "show"], "Missing argument 'NUMBER'."),
        (["incidents", "show", "x"], "Invalid value for 'NUMBER'"),
        (["deliveries", "retry"], "Missing argument 'ID...'."),
        (["version", "--output", "yaml"], "'yaml' is not one of 'text', 'json'."),
        (["incidents", "list", "--server", "ftp://example.com"], "expected an address such as"),
        (["incidents", "list", "--server", "http://h:99999"], "expected an address such as"),
        (["incidents", "list", "--server", "http://h/?q=1"], "expected an address such as"),
        (["incidents", "list", "--token", "two words"], "a token has no spaces"),
        (["check", "/nowhere/tocsin.yaml"], "file '/nowhere/tocsin.yaml' does not exist"),
        (["serve", "/nowhere/tocsin.yaml"], "file '/nowhere/tocsin.yaml' does not exist"),
        (["serve", __file__, "--listen", "9199"], "expected HOST:PORT such as 127.0.0.1:9199, got '9199'"),
        (["serve", __file__, "--listen", "::1:9199"], "an IPv6 address needs brackets: [::1]:9199"),
        (["serve", __file__, "--workers", "0"], "'--workers'"),
        (["demo", "--listen", "localhost:http"], "expected HOST:PORT"),
    ],
)
def test_misuse_is_exit_code_2_with_one_line_and_the_way_to_help(here, arguments, said):
    ended = here(*arguments)
    assert (ended.code, ended.out) == (2, "")
    error, hint = ended.err.splitlines()
    assert error.startswith("Error: ")
    assert said in error
    assert hint.startswith("  Try `tocsin")


def test_a_password_in_the_address_is_refused_and_not_repeated(here):
    ended = here("incidents", "list", TOCSIN_SERVER="http://me:hunter2@tocsin.example.com")
    assert (ended.code, "hunter2" in ended.err) == (2, False)


@pytest.mark.parametrize(
    "arguments", [[], ["routes"], ["incidents"], ["silences"], ["deliveries"], ["receivers"], ["check"]]
)
def test_asking_for_nothing_shows_help_on_stderr_as_misuse(here, arguments):
    ended = here(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: tocsin")


COMMANDS = {
    "": [
        *("demo", "check", "serve", "simulate", "test", "diff", "record", "heartbeats", "stats", "version"),
        *("routes", "incidents", "silences", "oncall", "deliveries", "receivers"),
    ],
    "routes": ["show", "test"],
    "incidents": [
        *("list", "show", "why", "ack", "unack", "resolve", "snooze", "escalate", "reassign"),
        *("respond", "note"),
    ],
    "silences": ["add", "list", "show", "expire"],
    "deliveries": ["list", "retry"],
    "receivers": ["test"],
}


@pytest.mark.parametrize(("group", "commands"), COMMANDS.items())
def test_help_has_one_whole_line_for_each_command(here, group, commands):
    ended = here(*group.split(), "--help")
    listed = ended.out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert (ended.code, [line.split()[0] for line in listed]) == (0, commands)
    assert not [line for line in listed if line.endswith("...") or len(line.split()) < 3]


def test_help_never_shows_the_token_of_the_environment(here):
    ended = here("incidents", "list", "--help", TOCSIN_TOKEN="s3cr3t")
    assert "TOCSIN_TOKEN" in ended.out
    assert "s3cr3t" not in ended.out


def test_version_is_one_line_or_a_json_object(here):
    text, document = here("version"), here("version", "--output", "json")
    assert text.out == f"tocsin {json.loads(document.out)['version']}\n"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (
            "tocsin version > /dev/full",
            1,
            "Error: the output could not be written: No space left on device\n",
        ),
        (  # more than a buffer holds
            f"tocsin simulate {ROOT}/config/examples/on-call.yaml a=b -o json > /dev/full",
            1,
            "Error: the output could not be written: No space left on device\n",
        ),
        ("tocsin version >&-", 0, ""),
        ("tocsin versoin 2>&-", 2, ""),
    ],
)
async def test_an_output_that_takes_nothing_ends_without_a_traceback(shell, line, code, said):
    ended = await shell(line)
    assert (ended.code, ended.out, ended.err) == (code, "", said)


@pytest.mark.parametrize(
    "command",
    [
        f"simulate {ROOT}/config/examples/on-call.yaml a=b",
        f"test --init {ROOT}/config/examples/on-call.yaml --to -",
        f"diff {ROOT}/config/examples/on-call.yaml {ROOT}/config/examples/minimal.yaml",
    ],
)
async def test_a_reader_that_has_gone_ends_a_command_without_a_word(shell, command):
    ended = await shell(f"tocsin {command} | exec true; echo ${{PIPESTATUS[0]}}")
    assert (ended.out, ended.err) == ("141\n", "")


async def test_ctrl_c_ends_the_command_without_a_word(server, tmp_path):
    asked, never = asyncio.Event(), asyncio.Event()

    async def wait():
        asked.set()
        await never.wait()

    server.before = wait
    command = [sys.executable, "-m", "gateway.cli", "incidents", "list"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TOCSIN_SERVER": server.url}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    await asyncio.wait_for(asked.wait(), 10)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.communicate(), 10) == (b"", b"")
    never.set()
    assert process.returncode == 130


async def test_a_foreign_config_package_in_front_of_ours_is_named(tocsin, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("")
    ended = await tocsin("version")
    assert (ended.code, ended.out) == (1, "")
    assert (
        f"Python finds the package `config` in {tmp_path}/config, but Tocsin's own lies in {ROOT}"
        in ended.err
    )
    assert "an environment of its own: `pipx install tocsin`" in ended.err


async def test_a_foreign_module_in_one_file_is_named_as_well(tocsin, tmp_path):
    (tmp_path / "routing.py").write_text("")
    ended = await tocsin("--help")
    assert (ended.code, f"{tmp_path}/routing.py" in ended.err) == (1, True)


def test_the_four_packages_of_this_tree_lie_side_by_side():
    assert misplaced(ROOT) == ""
    assert set(LANDMARKS) == {"config", "routing", "receivers", "gateway"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9199", ("127.0.0.1", 9199)),
        ("tocsin.internal:80", ("tocsin.internal", 80)),
        ("[::1]:9199", ("::1", 9199)),
        (":9199", ("0.0.0.0", 9199)),
        ("localhost:0", ("localhost", 0)),
        ("localhost", None),
        ("localhost:", None),
        ("localhost:65536", None),
        ("localhost:-1", None),
        ("localhost:٣", None),
        ("", None),
    ],
)
def test_an_address_to_listen_on_is_host_and_port(text, address):
    if address is None:
        with pytest.raises(typer.BadParameter, match="expected HOST:PORT"):
            listen_address(text)
    else:
        assert listen_address(text) == address
