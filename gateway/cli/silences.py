"""`tocsin silences`: keep alerts quiet for a time, having seen which ones; see and end what is silenced."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import typer

from gateway.cli.options import DEFAULT_SERVER, Limit, Output, Server, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from routing.matchers import Matcher

app = typer.Typer(help="Keep alerts quiet for a time; see and end silences.")

State = Literal["current", "active", "pending", "expired", "all"]

Matchers = Annotated[
    list[str],
    typer.Argument(
        metavar="MATCHER...",
        help="""Which alerts: alertname=X, 'env!="dev"', 'pod=~"web-.+"'; all must hold.""",
    ),
]
SHOWN_ALERTS = 5
SHOWN_INCIDENTS = 10


@app.command("add")
def add_silence(
    *,
    matchers: Matchers,
    lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 2h.")] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Its end, such as 2026-11-24T18:00Z.")
    ] = "",
    start: Annotated[
        str, typer.Option("--start", metavar="TIME", help="Its start, where that is not now.")
    ] = "",
    comment: Annotated[str, typer.Option("--comment", "-c", metavar="TEXT", help="Why.")],
    author: Annotated[
        str,
        typer.Option("--author", "-a", metavar="NAME", help="Who, where it is not the user who runs this."),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Also where it hides everything.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; without a terminal we never do.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would hide now.")] = False,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Silence alerts, having said which of them fire now.

    Prints the id of the silence.
    """
    from gateway.cli import output as out
    from gateway.cli import spans, times
    from gateway.cli.client import Client
    from gateway.cli.whoami import whoami

    asked: dict[str, Any] = {"matchers": _matchers(matchers)}
    span = spans.parse(lasts, until, start)
    client = Client(server, token)
    preview = client.post("/silences/preview", body=asked)
    _say_preview(preview.body)
    refused = bool(preview.body.get("refusal")) and not force
    if refused:
        out.say(str(preview.body["refusal"]), "Narrow it with another matcher; --force if it is meant.")
    if dry_run and output == "json":
        out.write_json(preview.body)
    if refused or dry_run:
        raise typer.Exit(1 if refused else 0)
    question = "Silence these?" if preview.body.get("hidden") else "Make it, for alerts to come?"
    if not yes and sys.stdin.isatty() and not typer.confirm(question, default=True, err=True):
        out.say("Nothing was silenced.")
        raise typer.Exit(1)

    asked |= span(preview.at) | {"comment": comment, "force": force, "created_by": author or whoami()}
    made = client.post("/silences", body=asked)
    if output == "json":
        out.write_json(made.body)
        return
    silence = made.body.get("silence") or {}
    out.write_line(silence.get("id"))
    begins = "" if silence.get("state") == "active" else f" from {times.stamp(silence.get('starts_at'))}"
    out.say(
        f"Silenced{begins} until {times.stamp(silence.get('ends_at'))} "
        f"({times.distance(silence.get('ends_at'), made.at)})."
    )


@app.command("list")
def list_silences(
    *,
    matchers: Annotated[
        list[str] | None,
        typer.Argument(metavar="MATCHER...", help="Only those that have these matchers, written like this."),
    ] = None,
    state: Annotated[
        State,
        typer.Option(
            "--state", metavar="current|active|pending|expired|all", help="current: active or pending."
        ),
    ] = "current",
    limit: Limit = 50,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List silences: those that end first, then those that begin first."""
    from gateway.cli import output as out
    from gateway.cli.client import Client

    filters = [str(matcher) for matcher in _parsed(matchers or ())]
    answer = Client(server, token).get("/silences", {"state": state, "limit": limit, "filter": filters})
    silences = answer.body.get("silences") or []
    if output == "json":
        out.write_json(answer.body)
        return
    if not silences:
        which = "" if state == "all" else f" {state}" if state != "current" else " active or pending"
        out.say(f"No{which} silences.")
        return
    titles = ("ID", "STATE", "WHEN", "BY", "MATCHERS AND COMMENT")
    out.write_table([out.Column(title) for title in titles], [_row(one, answer.at) for one in silences])
    if (total := int(answer.body.get("total") or 0)) > len(silences):
        out.say(f"{len(silences)} of {total} are shown; --limit N shows more.")


@app.command("show")
def show_silence(
    *,
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `silences list` shows it.")],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Show one silence."""
    from gateway.cli import output as out
    from gateway.cli import times
    from gateway.cli.client import Client

    answer = Client(server, token).get(f"/silences/{quote(identity, safe='')}")
    if output == "json":
        out.write_json(answer.body)
        return
    silence = answer.body

    def moment(name: str) -> str:
        value = silence.get(name)
        return f"{times.stamp(value)}  ({times.distance(value, answer.at)})"

    out.write_fields(
        {
            "Silence": out.plain(silence.get("id")),
            "State": out.word(silence.get("state")),
            "Matchers": out.plain(silence.get("text")),
            "Starts": moment("starts_at"),
            "Ends": moment("ends_at"),
            "By": out.plain(silence.get("created_by")),
            "Comment": out.plain(silence.get("comment")),
            "Written": moment("updated_at"),
            **{name: out.plain(value) for name, value in (silence.get("annotations") or {}).items()},
        }
    )


@app.command("expire")
def expire_silences(
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `silences list` shows them.")],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """End silences now; people are told what still fires."""
    from gateway.cli.client import Client
    from gateway.cli.one_by_one import each

    client = Client(server, token)
    each(
        ids,
        lambda identity: client.delete(f"/silences/{identity}"),
        refused={404},
        done="expired",
        key="silences",
        output=output,
    )


# --- what was typed ------------------------------------------------------------------------------------


def _matchers(texts: "Iterable[str]") -> list[dict[str, str | bool]]:
    from routing.matchers import to_json
    from routing.silence_changes import InvalidSilenceError, check_matchers

    found = _parsed(texts)
    try:
        check_matchers(tuple(found))
    except InvalidSilenceError as error:
        raise typer.BadParameter(str(error), param_hint="'MATCHER...'") from None
    return [to_json(matcher) for matcher in found]


def _parsed(texts: "Iterable[str]") -> "list[Matcher]":
    """Each text is one matcher or several, with or without braces, in either syntax."""
    from routing.matchers import MatcherError, parse_matchers

    found: list[Matcher] = []
    for text in texts:
        try:
            found += parse_matchers(text)
        except MatcherError as error:
            raise typer.BadParameter(
                f"{text!r} at character {error.column}: {error}", param_hint="'MATCHER...'"
            ) from None
    return found


# --- what is shown -------------------------------------------------------------------------------------


def _say_preview(preview: "Mapping[str, Any]") -> None:
    """What would be hidden, to stderr: stdout has the id alone."""
    from gateway.cli import output as out

    hidden, firing = int(preview.get("hidden") or 0), int(preview.get("firing") or 0)
    if not firing:
        out.say("No alert fires now.")
        return
    some = "" if preview.get("complete") else " that could be looked at in time"
    lines = []
    for incident in (preview.get("incidents") or [])[:SHOWN_INCIDENTS]:
        name = f"#{incident['number']}" if incident.get("number") else "not yet triggered"
        count = f"{incident.get('hidden')} of {incident.get('firing')} alerts"
        lines.append(f"{name}  {out.labels(incident.get('labels'))}  {count}")
    alerts = preview.get("alerts") or []
    lines += [f"- {out.labels(alert.get('labels'))}" for alert in alerts[:SHOWN_ALERTS]]
    if hidden > SHOWN_ALERTS:
        lines.append(f"- and {hidden - min(SHOWN_ALERTS, len(alerts))} more")
    if firing == 1:
        said = f"It {'hides' if hidden else 'does not hide'} the one alert that fires now{some}."
    else:
        said = f"It hides {hidden or 'none'} of the {firing} alerts that fire now{some}."
    out.say(said, "\n".join(lines))


def _row(silence: "Mapping[str, Any]", now: "datetime") -> list[object]:
    from gateway.cli import output as out
    from gateway.cli import times

    state = silence.get("state")
    word, name = {"pending": ("starts", "starts_at"), "expired": ("ended", "ends_at")}.get(
        str(state), ("ends", "ends_at")
    )
    if state == "expired" and (end := times.parse(silence.get(name))):
        now = max(now, end)  # the clock of an answer has whole seconds
    return [
        out.plain(silence.get("id")),
        out.word(state),
        f"{word} {times.distance(silence.get(name), now)}",
        out.plain(silence.get("created_by") or None, 30),
        f"{out.plain(silence.get('text'))}  {out.plain(silence.get('comment'))}",
    ]
