"""What the demo shows: a line for each webhook that comes in, and for each thing that somebody gets.

Left stands who sends; indented, who is told. Colour is only for meaning: red is trouble and the page that it
makes, bold is heard, grey makes no sound, green is an end. It fits 80 columns and more, a file, a terminal
that knows ASCII only. What comes from alerts cannot speak to the terminal.
"""

from __future__ import annotations

import html
import os
import re
import sys
import time
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from gateway.cli.errors import ReaderGoneError
from gateway.cli.options import DEFAULT_SERVER
from gateway.cli.output import plain
from gateway.demo.reckoning import PAGERDUTY, channel, shows_end

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from gateway.demo.reckoning import Due, Tally
    from gateway.demo.story import Answer, Scene

WIDEST: Final = 120
LINES_OF_A_TEXT: Final = 3

TROUBLE, PAGE, HEARD, ENDS, QUIET = "red", "bold red", "bold", "green", "dim"

_ACTIONS: Final = {"acknowledge": ("ack", QUIET), "resolve": ("resolve", ENDS)}
_PLACE: Final = 21
_VERB: Final = 8
# Slack's notation: <!here>, and what has a text of its own: <https://...|text>, <!date^...|text>
_MENTION: Final = re.compile(r"<!(here|channel|everyone)>")
_LINK: Final = re.compile(r"<[^<>|]*\|([^<>]*)>")
_ASCII: Final = str.maketrans("…·—", ".--")


class Screen:
    """Standard output, as the demo writes on it. `gone` is called once when nobody reads any more."""

    def __init__(self, gone: Callable[[], None]) -> None:
        colourless = bool(os.environ.get("NO_COLOR"))
        self._console = Console(
            file=sys.stdout,
            highlight=False,
            markup=False,
            emoji=False,
            no_color=colourless,
            color_system=None if colourless else "auto",
        )
        self._width = min(self._console.width, WIDEST)
        self._encoding = sys.stdout.encoding or "ascii"
        self._unicode = self._encoding.lower().startswith("utf")
        self._arrow = "→" if self._unicode else "->"
        self._began = time.monotonic()
        self._gone = gone
        self.reader_is_gone = False

    # --- what comes in ---------------------------------------------------------------------------------

    def opening(self, url: str, configuration: Path) -> None:
        """Says what is going to happen, and starts the clock."""
        self._paragraph(
            "Alerts reach Tocsin, and you see what each person gets. Tocsin is the real one; PagerDuty, "
            "Slack and the mail server are stand-ins on this machine."
        )
        self._write()
        self._write(Text.assemble(("Tocsin         ", QUIET), url))
        self._write(Text.assemble(("Configuration  ", QUIET), _short(configuration)))
        self._began = time.monotonic()

    def act(self, text: str) -> None:
        """What the following is about."""
        self._write()
        self._paragraph(text, HEARD)

    def happens(self, who: str, what: str, style: str) -> None:
        """Somebody, or something, does it."""
        self._event(Text.assemble((who, "bold"), f" {self._arrow} "), Text(what, style=style))

    def webhook(self, scene: Scene, answer: Answer) -> None:
        """One body of an Alertmanager, and what the gateway said to it."""
        left = Text.assemble((scene.sender, "bold"), f" {self._arrow} ")
        self._event(left, _reported(scene.webhook, answer, self._sayable))

    # --- what people get -------------------------------------------------------------------------------

    def pagerduty(self, what: Mapping[str, Any]) -> None:
        """An event that PagerDuty took."""
        verb, style = ("page", PAGE) if what["rang"] else ("note", QUIET)
        if what["event"]["event_action"] != "trigger":
            verb, style = _ACTIONS[what["event"]["event_action"]]
        self._told(PAGERDUTY, verb, what["summary"], style)

    def slack(self, what: Mapping[str, Any]) -> None:
        """A message that Slack took, as a phone shows it."""
        message, verb = what["message"], what["what"]
        over = verb == "edit" and shows_end(message)
        style = ENDS if over else QUIET if verb == "edit" else HEARD
        self._told(channel(message), verb, _from_slack(message.text), style)

    def mail(self, what: Mapping[str, Any]) -> None:
        """A mail that the server took."""
        style = ENDS if what["subject"].startswith("[RESOLVED]") else HEARD
        for address in what["to"]:
            self._told(address, "mail", what["subject"], style)

    def _told(self, place: str, verb: str, text: str, style: str) -> None:
        left = Text.assemble(f"  {self._arrow} {plain(place):<{_PLACE}}", (f"{verb:<{_VERB}}", style))
        self._event(left, Text(self._sayable(text), style=QUIET if style == QUIET else ""))

    # --- the end ---------------------------------------------------------------------------------------

    def summary(self, told: Collection[tuple[Scene, Answer]], due: Due, taken: Mapping[str, Tally]) -> None:
        """What came in, and what each got."""
        senders = " and ".join(sorted({scene.sender for scene, _ in told}))
        reports = sum(len(scene.webhook["alerts"]) for scene, _ in told)
        news = sum(answer.counts["accepted"] for _, answer in told)
        self._write()
        self._paragraph(
            f"{len(told)} webhooks from {senders} reported alerts {reports:,} times; {reports - news:,} of "
            f"these were known already. With the checkout they became {due.incidents} incidents, of which "
            f"{due.resolved} are over. People got:"
        )
        self._write()
        for place, tally in taken.items():
            self._write(f"  {plain(place):<{_PLACE}}{_counts(place, tally)}")
        self._write()
        self._paragraph("Everybody was told what they had to know, and nobody was told anything twice.", ENDS)

    def failure(self, complaints: Iterable[str], log: Path) -> None:
        """The story did not come out as it must."""
        self._write()
        self._paragraph("The demo failed. This did not come out as it must:", TROUBLE)
        for complaint in complaints:
            self._paragraph(f"- {self._sayable(complaint)}")
        self._paragraph(f"What Tocsin logged is in {log}")

    def invitation(self, url: str) -> None:
        """How to go on by hand."""
        alert = '{"labels": {"alertname": "CoffeeIsOut", "severity": "critical"}'
        post = f"  curl {url}/api/v2/alerts -H 'Content-Type: application/json' \\"
        server = "" if url == DEFAULT_SERVER else f" --server {url}"
        self._write()
        self._paragraph("It goes on until Ctrl-C. In another terminal, fire an alert of your own:")
        self._write("", post, f"    -d '[{alert}}}]'", "")
        self._paragraph("end it:")
        self._write("", post, f"    -d '[{alert},", """      "endsAt": "'$(date -u +%FT%TZ)'"}]'""", "")
        self._paragraph("and look at it:")
        self._write("", f"  tocsin incidents list{server}", "")

    def farewell(self) -> None:
        """After Ctrl-C."""
        self._write()
        self._paragraph("Ended; nothing stays behind.", QUIET)

    def check_reader(self) -> None:
        """Raises ReaderGoneError where nobody read to the end."""
        if self.reader_is_gone:
            raise ReaderGoneError

    # --- how it is written -----------------------------------------------------------------------------

    def _event(self, left: Text, body: Text) -> None:
        """`left`, and beside it `body` in a few lines at most."""
        prefix = Text.assemble((f"{time.monotonic() - self._began:4.1f}s ", QUIET), left)
        room = max(self._width - prefix.cell_len, 20)
        lines = list(body.wrap(self._console, room, overflow="fold"))
        for line in lines:
            line.rstrip()
        if len(lines) > LINES_OF_A_TEXT:
            del lines[LINES_OF_A_TEXT:]
            lines[-1].truncate(room - 3)
            lines[-1].append("..." if not self._unicode else "…")
        for number, line in enumerate(lines):
            self._write(Text.assemble(prefix if number == 0 else " " * prefix.cell_len, line))

    def _paragraph(self, text: str, style: str = "") -> None:
        for line in Text(text, style=style).wrap(self._console, self._width, overflow="fold"):
            line.rstrip()
            self._write(line)

    def _sayable(self, text: str) -> str:
        """What came from outside, on one line, harmless, and without what this terminal cannot show."""
        if not self._unicode:
            text = unicodedata.normalize("NFKD", text.translate(_ASCII))  # letters without their accents
            text = text.encode(self._encoding, "ignore").decode(self._encoding)
        return plain(" ".join(text.split()))

    def _write(self, *lines: Text | str) -> None:
        if self.reader_is_gone:
            return
        with self._console.capture() as captured:
            for line in lines or ("",):
                self._console.print(line, no_wrap=True, overflow="ignore", crop=False)
        try:
            sys.stdout.write(captured.get())
            sys.stdout.flush()
        except BrokenPipeError:
            self.reader_is_gone = True
            self._gone()


def _reported(webhook: Mapping[str, Any], answer: Answer, sayable: Callable[[str], str]) -> Text:
    """`2 high alerts fire: HighLatency (eu-west)`, or that all of it was known."""
    labels = webhook["commonLabels"]
    name = sayable(labels.get("alertname", "various alerts"))
    if answer.status != 200:
        return Text(f"was answered {answer.status}: {name}", style=TROUBLE)
    if not answer.counts["accepted"]:
        return Text(f"already known, nobody is told: {name}", style=QUIET)
    severity = f"{sayable(labels['severity'])} " if "severity" in labels else ""
    cluster = f" ({sayable(labels['cluster'])})" if "cluster" in labels else ""
    hidden = f"; {webhook['truncatedAlerts']} more were cut off there" if webhook["truncatedAlerts"] else ""
    firing = sum(alert["status"] == "firing" for alert in webhook["alerts"])
    ended = len(webhook["alerts"]) - firing
    said = f"{_alerts(ended, severity)} ended" if ended else ""
    if firing:
        who = str(firing) if ended else _alerts(firing, severity)
        said += f"{', ' if ended else ''}{who} {'fires' if firing == 1 else 'fire'}"
    if firing and not ended and answer.counts["repeated"]:
        said += f", {answer.counts['accepted']} new"
    return Text.assemble((said, TROUBLE if firing else ENDS), f": {name}{cluster}{hidden}")


def _alerts(count: int, severity: str) -> str:
    return f"{count} {severity}{'alert' if count == 1 else 'alerts'}"


def _counts(place: str, tally: Tally) -> str:
    """`2 messages, 1 reply, 3 edits`."""
    if place == PAGERDUTY:
        counts = [
            (tally.begun, "page", "pages"),
            (tally.more, "note", "notes"),
            (tally.ended, "resolve", "resolves"),
        ]
    elif place.startswith(("#", "@")):
        counts = [
            (tally.begun, "message", "messages"),
            (tally.more, "reply", "replies"),
            (tally.quiet, "edit", "edits"),
        ]
    else:
        counts = [(tally.begun + tally.more + tally.ended, "mail", "mails")]
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)


def _from_slack(text: str) -> str:
    return html.unescape(_LINK.sub(r"\1", _MENTION.sub(r"@\1", text)))


def _short(path: Path) -> str:
    """Relative to where the user stands, if it lies below."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
