"""`tocsin incidents why`: every decision about an incident, and what would be decided otherwise today."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import DEFAULT_SERVER, Output, Server, Token, incident_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def why(
    *,
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", parser=incident_number, help="Its number, such as 1 or '#1'."),
    ],
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Show why it came as it did: each decision about it.

    Each decision is made again by the configuration in force; where something else would come out today, that
    is said.
    """
    from gateway.cli import output as out
    from gateway.cli import story
    from gateway.cli.client import Client

    answer = Client(server, token).get(f"/incidents/{number}/why")
    if output == "json":
        out.write_json(answer.body)
        return
    decisions = answer.body.get("decisions") or []
    story.write_name(answer.body)
    if decisions and not answer.body.get("complete"):
        out.write_lines(["", "  (earlier decisions are not kept)"])
    for one in decisions:
        out.write_lines(_lines(one, answer.body))
    if decisions:
        out.say(_summary(len(decisions), sum(bool(one.get("today")) for one in decisions)))
        if answer.body.get("held"):
            out.say(f"What holds its alerts is said by `tocsin incidents show {number}`.")
    else:
        out.say("No decision about it is kept: it is of a version that recorded none.")


def _summary(count: int, differing: int) -> str:
    made = f"{count} decision{'' if count == 1 else 's'}"
    if not differing:
        return f"{made}; each would be the same today."
    return f"{made}; {differing} would be another today."


def _lines(one: "Mapping[str, Any]", incident: "Mapping[str, Any]") -> "Iterator[str]":
    from gateway.cli import output as out
    from gateway.cli import times

    yield ""
    yield f"{times.stamp(one.get('at'))}  {out.plain(one.get('happened'))}"
    for name, values in _fields(one, incident):
        for value in values:
            yield f"  {name:<8}  {value}"
            name = ""  # noqa: PLW2901 - said once


def _fields(one: "Mapping[str, Any]", incident: "Mapping[str, Any]") -> "Iterator[tuple[str, list[str]]]":
    from gateway.cli import output as out
    from gateway.cli import times

    yield "Seen", [out.plain(one.get("seen"))]
    yield "Status", [out.plain(one.get("status"))]
    yield "Tells", [_told(each) for each in one.get("told") or ()] or ["nobody"]
    yield "Timeline", [out.plain(text) for text in one.get("timeline") or ()]
    due, at = times.parse(one.get("due")), times.parse(one.get("at"))
    if due and at:
        yield "Next", [f"{times.stamp(one.get('due'))} ({times.distance(one.get('due'), at)})"]
    else:
        yield "Next", ["when there is news"]
    today = [out.plain(text) for text in one.get("today") or ()]
    if today:
        changed = one.get("plan") != incident.get("plan")
        because = "the configuration has changed" if changed else "who was on call is known otherwise"
        yield "Today", [f"differs, since {because}:", *today]


def _told(one: "Mapping[str, Any]") -> str:
    from gateway.cli import output as out

    policy = f", of {out.plain(one['policy'])}" if one.get("policy") else ""
    return (
        f"{out.plain(one.get('who'))}: {out.plain(one.get('heard'))} ({out.plain(one.get('reason'))}{policy})"
    )
