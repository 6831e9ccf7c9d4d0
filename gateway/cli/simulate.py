"""`tocsin simulate`: who would be told of an alert, when and why; needs no server and sends nothing."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.compile import Plan
    from gateway.cli.simulate_given import Sources, Times
    from gateway.simulation.given import Given
    from gateway.simulation.scenario import Typed
    from routing.story import Happening, Story

Shape = Literal["text", "json", "mermaid", "html"]
Many = list[str] | None


def simulate(
    *,
    config: Annotated[
        Path,
        typer.Argument(metavar="CONFIG", exists=True, dir_okay=False, readable=True, help="A tocsin.yaml."),
    ],
    labels: Annotated[Many, typer.Argument(metavar="LABEL=VALUE...", help="The labels of an alert.")] = None,
    payload: Annotated[
        Many,
        typer.Option(
            "--payload", metavar="FILE", help="What arrives: a webhook's body, - for stdin; several in order."
        ),
    ] = None,
    alerts: Annotated[
        str,
        typer.Option(
            "--alerts",
            metavar="FILE.jsonl",
            show_default=False,
            help='Alerts and when, one a line: {"at": "10m", "labels": {...}, "fires": "1h"}.',
        ),
    ] = "",
    rules: Annotated[
        Many,
        typer.Option(
            "--rules",
            metavar="FILES",
            help="Prometheus' rules: each alert fires its `for` after the beginning. alertname=X takes one; "
            "other labels are added.",
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Recorded alerts (tocsin record), summed up: who is paged how often.",
        ),
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="With --replay: the whole story instead of its sum.")
    ] = False,
    fires: Annotated[
        str,
        typer.Option(
            "--fires", "--for", metavar="DURATION", help="How long it fires.", show_default="for ever"
        ),
    ] = "",
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TIME", help="When it begins, such as 2026-12-24T03:00.", show_default="now"
        ),
    ] = "",
    zone: Annotated[
        str,
        typer.Option("--zone", metavar="ZONE", help="By which clock times are read and shown."),
    ] = "UTC",
    ack: Annotated[
        Many, typer.Option("--ack", metavar="DURATION", help="Acknowledged so long after the first firing.")
    ] = None,
    snooze: Annotated[
        Many, typer.Option("--snooze", metavar="WHEN+LENGTH", help="Acknowledged for a while: 10m+1h.")
    ] = None,
    resolve: Annotated[
        str, typer.Option("--resolve", metavar="DURATION", help="Resolved by hand so long after.")
    ] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="USER", help="Who answers.", show_default="somebody")
    ] = "",
    fail: Annotated[
        Many,
        typer.Option(
            "--fail",
            metavar="WHAT=HOW",
            help="A service, receiver or user takes nothing: slack=30m, slack=10m+30m, pagerduty=refused.",
        ),
    ] = None,
    silence: Annotated[
        Many, typer.Option("--silence", metavar="MATCHERS", help="""Silenced throughout: 'team="db"'.""")
    ] = None,
    override: Annotated[
        Many, typer.Option("--override", metavar="SCHEDULE=USER", help="On call instead, throughout.")
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="OTHER.yaml",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The same by another configuration, beside it.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each is told, and show every decision.")
    ] = False,
    messages: Annotated[bool, typer.Option("--show-messages", help="Show what they read.")] = False,
    output: Annotated[
        Shape,
        typer.Option(
            "--output", "-o", metavar="text|json|mermaid|html", help="For people, programs, drawings, a page."
        ),
    ] = "text",
) -> None:
    """Tell who would be told of an alert: when, by what and why.

    Nothing is sent, and no secret is needed. Without --fires an alert fires for ever: the story ends when
    nothing more would follow, or after 7 days. For instance:

    tocsin simulate tocsin.yaml alertname=ApiDown severity=critical --ack 3m
    """
    from config.problems import ConfigError
    from gateway.cli.configured import refused
    from gateway.cli.errors import UsageError
    from gateway.cli.simulate_given import Sources, times_of, unmixed
    from gateway.simulation.given import GivenError
    from gateway.simulation.scenario import Typed

    sources = Sources(tuple(labels or ()), tuple(payload or ()), alerts, tuple(rules or ()), replay)
    typed = Typed(ack or (), by, resolve, snooze or (), fail or (), silence or (), override or ())
    shown = Shown(explain, messages, output)
    config, sources = unmixed(config, sources)
    sources.refuse_several()
    if timeline and not replay:
        raise UsageError("--timeline says nothing without --replay")
    summed = replay is not None and not timeline
    if compare and output in ("mermaid", "html") and not summed:
        raise UsageError(f"--compare has no drawing; expected --output text or json, not {output}")
    files = [file for file in (config, compare) if file]
    try:
        times = times_of(at, zone, fires)
        if replay and summed:
            from gateway.cli.replayed import replayed

            replayed(files, replay, times, typed, shown)
        else:
            _tell(files, sources, times, typed, shown)
    except GivenError as error:
        raise UsageError(str(error), error.hint) from None
    except ConfigError as error:  # of rule files
        raise refused(error.problems[0].file, error) from None


@dataclass(frozen=True)
class Shown:
    """How the story is shown."""

    explain: bool
    messages: bool
    output: Shape

    @property
    def texts(self) -> bool:
        """Whether messages are rendered; a page has all of them."""
        return self.messages or self.output == "html"


# --- the story ------------------------------------------------------------------------------------------


def _tell(files: list[Path], sources: "Sources", times: "Times", typed: "Typed", shown: Shown) -> None:
    from gateway.cli import output as out
    from gateway.cli.configured import configured
    from gateway.cli.simulate_given import given
    from gateway.simulation import scenario
    from gateway.simulation.run import LONGEST
    from gateway.simulation.run import simulate as story_of
    from gateway.simulation.unknown_words import doubts

    found = given(sources, times)
    if sources.labels and not sources.rules:
        scenario.refuse_contradictions(typed, times.fires)
    began, alerts = found.began, _labels(found)
    plans = [configured(file, began, began + LONGEST).plan for file in files]
    names = scenario.names_of(plans)
    said = scenario.answers(typed, began, names)
    failures = scenario.failures(typed, began, names)
    overrides = scenario.overrides(typed, began, names)
    happenings: list[Happening] = [*scenario.silences(typed, began), *found.arrived, *said]
    happenings.sort(key=lambda one: one.at)  # of one moment silences come first, answers last
    for note in (*found.notes, *doubts(plans[0], alerts)):
        out.say(note)
    stories = [
        story_of(plan, happenings, began=began, failures=failures, overrides=overrides, texts=shown.texts)
        for plan in plans
    ]
    _print(
        files=files,
        plans=plans,
        stories=stories,
        zone=times.zone,
        shown=shown,
        title=_title(files[0], alerts),
    )


def _labels(found: "Given") -> "list[dict[str, str]]":
    """Those of each alert, once."""
    alerts = {copy.key: copy.labels for one in found.arrived for copy in one.arrivals}
    return list(alerts.values())


def _title(file: Path, alerts: "Sequence[dict[str, str]]") -> str:
    from gateway.cli import output as out

    what = out.labels(alerts[0]) if len(alerts) == 1 else f"{len(alerts)} alerts"
    return f"{what} by {file}"


def _print(
    *,
    files: "Sequence[Path]",
    plans: "Sequence[Plan]",
    stories: "Sequence[Story]",
    zone: str,
    shown: Shown,
    title: str,
) -> None:
    from datetime import UTC

    from gateway.cli import output as out
    from routing.calendar import zone as zone_at

    there = zone_at(zone) or UTC
    if shown.output == "json":
        from gateway.simulation import report_json

        documents = [
            report_json.document(story, shown.explain, shown.messages, plan=plan)
            for plan, story in zip(plans, stories, strict=True)
        ]
        told = [{"config": str(file)} | document for file, document in zip(files, documents, strict=True)]
        out.write_json(documents[0] if len(told) == 1 else {"stories": told})
    elif len(stories) == 2:
        from gateway.simulation import side_by_side

        names = (str(files[0]), str(files[1]))
        out.write_lines(side_by_side.side_by_side(stories[0], stories[1], names, there))
    elif shown.output == "text":
        from gateway.simulation import report_text

        out.write_lines(report_text.text(stories[0], there, shown.explain, shown.messages))
    elif shown.output == "mermaid":
        from gateway.simulation import report_mermaid

        out.write_lines(report_mermaid.mermaid(stories[0], there).splitlines())
    else:
        from gateway.simulation import report_html

        out.write_lines(report_html.html(stories[0], title, there).splitlines())
