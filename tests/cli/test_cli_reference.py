"""`docs/cli.md` is what `--help` says, so that it cannot rot.

After a change of the commands: `TOCSIN_WRITE_DOCS=1 python -m pytest tests/cli/test_cli_reference.py`.
"""

import os
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
GROUPS = ("routes", "incidents", "silences", "oncall", "oncall override", "deliveries", "receivers")
PREFACE = """\
# The command line

<!-- Written by tests/cli/test_cli_reference.py from `--help`; do not edit. -->

Data goes to stdout, everything else to stderr. `--output json` prints the API's document as it came.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the answer is "no" (a failed check, an unknown number, a refused test), or it could not be done |
| 2 | the command was used wrongly |
| 130 | Ctrl-C |
| 141 | the reader of a pipe went away |

`NO_COLOR` switches colour off. `TOCSIN_DEBUG=1` shows where an unforeseen error happened.
"""


def commands(here, *above):
    for line in here(*above, "--help").out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines():
        if re.match(r"  \S", line):  # the first of its lines
            name = (*above, line.split()[0])
            yield from commands(here, *name) if " ".join(name) in GROUPS else [list(name)]


def test_the_page_about_the_command_line_says_what_help_says(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = PREFACE
    for command in commands(here):
        page += f"\n## tocsin {' '.join(command)}\n\n```\n{here(*command, '--help').out}```\n"
    if os.environ.get("TOCSIN_WRITE_DOCS") == "1":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "write it anew: see the first lines of this test"
