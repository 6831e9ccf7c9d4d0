"""`tocsin stats`: how soon incidents are answered and solved, and how often people are woken."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_SERVER, Output, Server, Token

if TYPE_CHECKING:
    from collections.abc import Mapping

By = Literal["team", "severity", "alert", "person"]


def stats(
    *,
    by: Annotated[
        By, typer.Option("--by", metavar="team|severity|alert|person", help="What each row is about.")
    ] = "team",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="A duration, or a time such as 2026-11-01T00:00Z.")
    ] = "30d",
    office: Annotated[
        str, typer.Option("--office", metavar="HH:MM-HH:MM", help="When people work, Monday to Friday.")
    ] = "09:00-18:00",
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help="Where people live who have no time zone.")
    ] = "UTC",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Sum up incidents: how soon they were answered, and pages.

    MTTA and MTTR are means, followed by what half of them and nine of ten do not exceed. OFF are pages out
    of office hours.
    """
    from gateway.cli import output as out
    from gateway.cli.client import Client

    asked = {"by": by, "since": since, "office": office, "zone": zone}
    answer = Client(server, token).get("/stats", asked)
    if output == "json":
        out.write_json(answer.body)
        return
    rows = answer.body.get("rows") or []
    if not rows:
        out.say("No incidents since then.")
        return
    numbers = ("NUM", "OPEN", "ACK", "MTTA", "P50", "P90", "MTTR", "P50", "P90", "PAGES", "OFF")
    titles = [out.Column(by.upper()), *(out.Column(title, right=True) for title in numbers)]
    lines = [_line(row, out.plain(row.get("name") or "-", 60)) for row in rows]
    total = answer.body.get("total")
    if total and len(rows) > 1:
        lines.append(_line(total, "(all)"))
    out.write_table(titles, lines)


def _line(row: "Mapping[str, Any]", name: str) -> list[object]:
    share = row.get("acknowledged_share")
    return [
        name,
        row.get("incidents"),
        row.get("open"),
        "-" if share is None else f"{share:.0%}",
        *_durations(row.get("time_to_acknowledge") or {}),
        *_durations(row.get("time_to_resolve") or {}),
        row.get("pages"),
        row.get("pages_out_of_hours"),
    ]


def _durations(found: "Mapping[str, Any]") -> list[str]:
    from datetime import timedelta

    from gateway.cli import times

    values = [found.get(name) for name in ("mean", "p50", "p90")]
    return ["-" if value is None else times.length(timedelta(seconds=value)) for value in values]
