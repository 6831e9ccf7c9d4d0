"""What `tocsin simulate --replay` prints: a recording summed up, by one configuration or by two."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from gateway.cli import output as out
from gateway.cli.configured import configured
from gateway.simulation import scenario, summary, summary_text
from gateway.simulation.given import GivenError
from gateway.simulation.replay import ReplayError, happenings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.cli.simulate import Shown
    from gateway.cli.simulate_given import Times
    from gateway.simulation.scenario import Typed

AHEAD = 400 * 86_400_000  # how far calendars are read: a recording says only at its end how long it is


def replayed(files: Sequence[Path], recording: Path, times: Times, typed: Typed, shown: Shown) -> None:
    """Print who would have been paged how often by the first configuration, or by it and a second one.

    Raises:
        GivenError: the recording cannot be read, or an option does not go with it.
    """
    _refuse(times, typed, shown)
    try:
        began = next(happenings(recording)).at
        plans = [configured(file, began, began + AHEAD).plan for file in files]
        names = scenario.names_of(plans)
        failures = scenario.failures(typed, began, names)
        overrides = scenario.overrides(typed, began, names)
        silences = scenario.silences(typed, began)
        sums = [
            summary.of(
                plan,
                chain(silences, happenings(recording)),
                zone=times.zone,
                failures=failures,
                overrides=overrides,
            )
            for plan in plans
        ]
    except ReplayError as error:
        raise GivenError(str(error)) from None
    out.say("Nobody answers in a replay: every step is reached that comes before the alerts end.")
    _print([str(file) for file in files], sums, shown.output, str(recording))


def _refuse(times: Times, typed: Typed, shown: Shown) -> None:
    wrong = {
        "--at": times.at is not None,
        "--fires": times.fires is not None,
        "--ack, --snooze and --resolve": typed.answers,
        "--explain": shown.explain,
        "--show-messages": shown.messages,
        "--output mermaid": shown.output == "mermaid",
    }
    for option, given in wrong.items():
        if given:
            verb = "do" if " and " in option else "does"
            raise GivenError(
                f"{option} {verb} not go with --replay, which sums up what was recorded as it was",
                "With --timeline it tells the whole story instead.",
            )


def _print(names: list[str], sums: Sequence[summary.Summary], output: str, title: str) -> None:
    if output == "html":
        from gateway.simulation import summary_html  # noqa: PLC0415 - only a page needs it

        other = sums[1] if len(sums) == 2 else None
        out.write_lines(summary_html.html(sums[0], title, other, (names[0], names[-1])).splitlines())
    elif len(sums) == 2:
        both = (names[0], names[1])
        if output == "json":
            out.write_json(summary_text.both(sums[0], sums[1], both))
        else:
            out.write_lines(summary_text.compared(sums[0], sums[1], both))
    elif output == "json":
        out.write_json(summary_text.document(sums[0]))
    else:
        out.write_lines(summary_text.text(sums[0]))
