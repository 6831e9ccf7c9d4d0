"""`tocsin incidents ack|resolve|snooze|...`: what somebody says to incidents.

Several numbers are answered one by one, each with a line: what came of it to stdout, why not to stderr. Who
says it is the user whose name the token has; where the server wants no token, whoever runs the command.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from typing import Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_SERVER, Format, Output, Server, Token, incident_number

app = typer.Typer()

Numbers = Annotated[
    list[int],
    typer.Argument(
        metavar="NUMBER...", parser=incident_number, help="The incidents' numbers, such as 1 or '#1'."
    ),
]
Name = Annotated[
    str,
    typer.Option("--as", metavar="NAME", help="For whom; a token with a user's name is for that user alone."),
]
For = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 1h30m.")]
Until = Annotated[
    str,
    typer.Option("--until", metavar="TIME", help="Its end: 08:00 (here), or such as 2026-11-24T18:00Z."),
]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="This user.")]
Schedule = Annotated[str, typer.Option("--schedule", metavar="NAME", help="Whoever is on call there.")]
Policy = Annotated[str, typer.Option("--policy", metavar="NAME", help="Another policy.")]
TeamWay = Literal["slack", "email", "lead", "manager", "pagerduty", "on_call"]
Team = Annotated[
    TeamWay | None,
    typer.Option(
        "--team", metavar="WAY", help="The incident's team: slack, email, lead, manager, pagerduty, on_call."
    ),
]


@app.command("ack")
def acknowledge(
    *,
    numbers: Numbers,
    lasts: For = "",
    until: Until = "",
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Acknowledge incidents: you have them in hand.

    Nobody is rung any more but by steps that only the end makes unnecessary. Without --for or --until it
    lasts as long as the policy says.
    """
    from gateway.cli import spans

    end = spans.end(lasts, until) if lasts or until else {}
    _say(numbers, "acknowledge", end, name=name, output=output, server=server, token=token)


@app.command("unack")
def unacknowledge(
    *,
    numbers: Numbers,
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Take an acknowledgement back: the policy starts again."""
    _say(numbers, "unacknowledge", {}, name=name, output=output, server=server, token=token)


@app.command("resolve")
def resolve(
    *,
    numbers: Numbers,
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Resolve incidents by hand.

    What still fires of them is dismissed, and opens them again only after a long while.
    """
    _say(numbers, "resolve", {}, name=name, output=output, server=server, token=token)


@app.command("snooze")
def snooze(
    *,
    numbers: Numbers,
    lasts: For = "",
    until: Until = "",
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Acknowledge incidents for a time.

    After it the policy starts again.
    """
    from gateway.cli import spans

    _say(numbers, "snooze", spans.end(lasts, until), name=name, output=output, server=server, token=token)


@app.command("escalate")
def escalate(
    *,
    numbers: Numbers,
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Go to the next step of the policy now."""
    _say(numbers, "escalate", {}, name=name, output=output, server=server, token=token)


@app.command("reassign")
def reassign(
    *,
    numbers: Numbers,
    user: User = "",
    schedule: Schedule = "",
    policy: Policy = "",
    team: Team = None,
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Give incidents to others, who are told now."""
    to = _exactly_one({"user": user, "schedule": schedule, "policy": policy, "team": team or ""})
    _say(numbers, "reassign", to, name=name, output=output, server=server, token=token)


@app.command("respond")
def respond(
    *,
    numbers: Numbers,
    user: User = "",
    schedule: Schedule = "",
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Call somebody in besides, acknowledged or not."""
    who = _exactly_one({"user": user, "schedule": schedule})
    _say(numbers, "responders", who, name=name, output=output, server=server, token=token)


@app.command("note")
def note(
    *,
    numbers: Numbers,
    text: Annotated[str, typer.Option("--text", "-m", metavar="TEXT", help="What to note.")],
    name: Name = "",
    output: Output = "text",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Note something in the timeline of incidents."""
    if not text.strip():
        raise typer.BadParameter("the note is empty", param_hint="'--text'")
    _say(numbers, "notes", {"text": text}, name=name, output=output, server=server, token=token)


def _exactly_one(given: dict[str, str]) -> dict[str, str]:
    named = {field: value for field, value in given.items() if value}
    if len(named) != 1:
        hint = " / ".join(f"'--{field}'" for field in given)
        raise typer.BadParameter("give exactly one of them", param_hint=hint)
    return named


def _say(
    numbers: list[int],
    verb: str,
    body: dict[str, str],
    *,
    name: str,
    output: Format,
    server: str,
    token: str,
) -> None:
    """Says the same to each incident."""
    from gateway.cli.client import Client
    from gateway.cli.one_by_one import each
    from gateway.cli.whoami import whoami

    client = Client(server, token)
    who = name or ("" if token else whoami())
    sent: dict[str, Any] = body | ({"by": who} if who else {})
    each(
        map(str, numbers),
        lambda number: client.post(f"/incidents/{number}/{verb}", body=sent),
        refused={404, 409},
        done=lambda answer: str(answer.get("said")),
        key="answers",
        output=output,
        sign="#",
    )
