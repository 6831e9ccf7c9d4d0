"""`tocsin oncall`: who is on call, when that changes, where nobody is, how it is spread over people.

With `--config` it answers from a file, without a running server; else the server is asked, and overrides that
people made count. A time without a zone is meant by the clock of the schedule.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from gateway.cli import overrides
from gateway.cli.options import DEFAULT_SERVER, AnswerFrom, Output, Server, Token

if TYPE_CHECKING:
    from gateway.oncall_view import Shifts

app = typer.Typer(help="See who is on call, and stand in for each other.")
app.add_typer(overrides.app, name="override", no_args_is_help=True)

Schedules = Annotated[list[str] | None, typer.Argument(metavar="SCHEDULE...", help="Not given: all.")]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="Such as 2026-11-02, now or -28d.")]
To = Annotated[str, typer.Option("--to", metavar="TIME", help="Such as 2026-12-24 18:00 or +14d.")]


@app.command("show")
def show(
    *,
    schedules: Schedules = None,
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="Such as 2026-12-24 18:00, or +8h.")
    ] = "now",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Say who is on call."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli.rota import rota

    found = rota(config, server, token).who(schedules or [], at)
    if output == "json":
        out.write_json({"schedules": found})
    else:
        rows = [[out.plain(one["schedule"]), said.people(one["people"]), said.until(one)] for one in found]
        out.write_table([out.Column(title) for title in ("SCHEDULE", "ON CALL", "UNTIL")], rows)
    said.warn(found)


@app.command("next")
def upcoming(
    *,
    schedules: Schedules = None,
    person: Annotated[
        str, typer.Option("--person", metavar="NAME", help="The next shifts of this person.")
    ] = "",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Say when the next shift changes are, or the next shifts of a person."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli import times
    from gateway.cli.rota import rota

    asked = rota(config, server, token)
    now = datetime.fromtimestamp(asked.now / 1_000, UTC)
    if person:
        own = asked.shifts(schedules or [], "now", "+400d", person)
        if output == "json":
            out.write_json({"schedules": own})
        else:
            _write_first(own, now)
        if not any(one["shifts"] for one in own):
            out.say(f"{person} has no shift within 400 days.")
            raise typer.Exit(1)
        return
    found = asked.who(schedules or [], "now")
    if output == "json":
        out.write_json({"schedules": found})
    else:
        rows = [
            [
                out.plain(one["schedule"]),
                said.clock(one["until"], one["time_zone"]),
                times.distance(one["until"], now),
                said.people(one["people"]),
                said.people(one["next"]["people"]) if one["next"] else "-",
            ]
            for one in found
        ]
        titles = ("SCHEDULE", "SHIFT CHANGE", "IN", "GOES", "COMES")
        out.write_table([out.Column(title) for title in titles], rows)
    said.warn(found)


def _write_first(own: "list[Shifts]", now: datetime) -> None:
    """The first shift of a person in each schedule."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli import times

    rows = [
        [
            out.plain(one["schedule"]),
            said.clock(shift["start"], one["time_zone"]),
            said.clock(shift["end"], one["time_zone"]),
            "now"
            if (begin := times.parse(shift["start"])) and begin <= now
            else times.distance(shift["start"], now),
        ]
        for one in own
        for shift in one["shifts"][:1]
    ]
    if rows:
        titles = ("SCHEDULE", "FROM", "UNTIL", "IN")
        out.write_table([out.Column(title) for title in titles], rows)


@app.command("list")
def list_shifts(
    *,
    schedules: Schedules = None,
    since: From = "now",
    until: To = "+14d",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Draw a calendar of shifts, and list them below it."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli.rota import rota
    from gateway.cli.week import weeks

    asked = rota(config, server, token)
    found = asked.shifts(schedules or [], since, until)
    if output == "json":
        out.write_json({"schedules": found})
        return
    for number, one in enumerate(found):
        out.write_lines([""] * bool(number))
        spans, zone = said.spans(one["shifts"]), said.zone(one["time_zone"])
        out.write(said.heading(one["schedule"], one["time_zone"]), *weeks(spans, zone))
        rows = [
            [
                said.clock(shift["start"], one["time_zone"]),
                said.clock(shift["end"], one["time_zone"]),
                said.people(shift["people"]),
            ]
            for shift in one["shifts"]
        ]
        out.write_table([out.Column(title) for title in ("FROM", "UNTIL", "ON CALL")], rows, indent=2)


@app.command("gaps")
def gaps(
    *,
    schedules: Schedules = None,
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How far to look ahead, such as 30d.")
    ] = "30d",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """List the times at which nobody is on call. Exits 1 where there are any."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli import spans
    from gateway.cli.rota import rota

    spans.duration(lasts)
    found = rota(config, server, token).shifts(schedules or [], "now", f"+{lasts}")
    for one in found:
        one["shifts"] = [shift for shift in one["shifts"] if not shift["people"]]
    several = [(one, shift) for one in found for shift in one["shifts"]]
    if output == "json":
        out.write_json({"schedules": found})
    elif several:
        rows = [
            [
                out.plain(one["schedule"]),
                said.clock(shift["start"], one["time_zone"]),
                said.clock(shift["end"], one["time_zone"]),
                said.length(shift),
            ]
            for one, shift in several
        ]
        out.write_table([out.Column(title) for title in ("SCHEDULE", "FROM", "UNTIL", "FOR")], rows)
    else:
        out.say(f"Somebody is on call at any time within {lasts}.")
    if several:
        raise typer.Exit(1)


@app.command("report")
def report(
    *,
    schedules: Annotated[
        list[str] | None, typer.Argument(metavar="SCHEDULE", help="Not given: all together.")
    ] = None,
    since: From = "-28d",
    until: To = "now",
    config: AnswerFrom = None,
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Say how hours, nights and weekends on call are spread over people."""
    from gateway.cli import output as out
    from gateway.cli import shift_words as said
    from gateway.cli.rota import rota

    if len(schedules or []) > 1:
        raise typer.BadParameter("give one, or none for all together", param_hint="'SCHEDULE'")
    found = rota(config, server, token).report(schedules or [], since, until)
    if output == "json":
        out.write_json(found)
        return
    titles = ("HOURS", "SHIFTS", "AT NIGHT", "NIGHTS", "WEEKEND", "WEEKENDS", "PAGES")
    keys = ("hours", "shifts", "night_hours", "nights", "weekend_hours", "weekends", "pages")
    rows = [
        [out.plain(one["person"]), *(said.number(one.get(key)) for key in keys)] for one in found["people"]
    ]
    columns = [out.Column("PERSON"), *(out.Column(title, right=True) for title in titles)]
    out.write_table(columns, rows)


@app.command("feed")
def feed(
    *,
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE", help="Of which schedule.")] = "",
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="Of this person instead.")] = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Print the address at which a calendar program can subscribe; it is a secret."""
    from gateway.cli import output as out
    from gateway.cli.client import Client

    if bool(schedule) == bool(person):
        raise typer.BadParameter("give a schedule, or --person", param_hint="'SCHEDULE' / '--person'")
    where = f"/schedules/{quote(schedule, safe='')}" if schedule else f"/users/{quote(person, safe='')}"
    body = Client(server, token).get(f"{where}/feed").body
    if output == "json":
        out.write_json(body)
    else:
        out.write_line(body.get("url"))
