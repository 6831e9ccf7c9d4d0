"""What is typed after `tocsin simulate`: where alerts come from, when they begin, and how long they fire."""

# ruff: noqa: PLC0415 - of the ways to give alerts only the one that is used is imported

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.cli.errors import UsageError
from gateway.cli.routes import labels_of
from gateway.simulation.given import Given, GivenError, gathered, one_alert
from gateway.simulation.times import TimeError, duration, moment, place


@dataclass(frozen=True)
class Sources:
    """Where alerts come from: one of them, but labels may stand beside rules."""

    labels: tuple[str, ...]
    payload: tuple[str, ...]
    alerts: str
    rules: tuple[str, ...]
    replay: Path | None

    def refuse_several(self) -> None:
        """Raises `UsageError` where there is not exactly one."""
        named = {
            "--payload": self.payload,
            "--alerts": self.alerts,
            "--rules": self.rules,
            "--replay": self.replay,
            "labels": () if self.rules else self.labels,
        }
        given = [name for name, there in named.items() if there]
        if not given:
            raise UsageError(
                "no alert is given; expected its labels, or --payload, --alerts, --rules or --replay",
                "For instance: tocsin simulate tocsin.yaml alertname=ApiDown severity=critical",
            )
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} each say what arrives; expected one of them")


def unmixed(config: Path, sources: Sources) -> tuple[Path, Sources]:
    """The configuration and the sources, where a shell has made several files of one option.

    It makes `--rules a.yml b.yml` of `--rules *.yml`, so that b.yml stands where a label does, or the
    configuration. So it is with `--payload *.json`.

    Raises:
        UsageError: there is no configuration.
        typer.BadParameter: there is no file of rules.
    """
    files = [text for text in sources.labels if "=" not in text and Path(text).is_file()]
    labels = tuple(text for text in sources.labels if text not in files)
    if sources.payload:
        return config, replace(sources, labels=labels, payload=(*sources.payload, *files))
    if not sources.rules:
        return config, sources
    from gateway.cli.beside import rule_files

    rules, rest = rule_files(sources.rules, [config, *map(Path, files)])
    if not rest:
        raise UsageError("there are only files of rules; expected a tocsin.yaml beside them")
    labels += tuple(map(str, rest[1:]))
    return rest[0], replace(sources, labels=labels, rules=tuple(map(str, rules)))


@dataclass(frozen=True)
class Times:
    """When it begins and how long alerts fire, all in ms; None where it was not said. `zone` is checked."""

    at: int | None
    fires: int | None
    now: int
    zone: str


def times_of(at: str, zone: str, fires: str) -> Times:
    """The times that were typed, "" for those that were not.

    Raises:
        GivenError: one is none.
    """
    now = time.time_ns() // 1_000_000_000 * 1000
    option = "--zone"
    try:
        zone, option = place(zone), "--at"
        begins = None if not at else now if at == "now" else moment(at, zone)
        option = "--fires"
        lasts = duration(fires) if fires else None
    except TimeError as error:
        raise GivenError(f"{option}: {error}") from None
    if lasts == 0:
        raise GivenError("--fires: it cannot be 0s; expected a duration such as 30m")
    return Times(begins, lasts, now, zone)


def given(sources: Sources, times: Times) -> Given:
    """What arrives.

    Raises:
        GivenError: it cannot be used.
        ConfigError: there are problems in files of rules.
        typer.BadParameter: a label is none, or there is no file of rules.
    """
    if sources.payload:
        from gateway.simulation.bodies import bodies

        return bodies(sources.payload, times.at, times.now, times.fires)
    if sources.alerts:
        from gateway.simulation.alert_lines import alert_lines

        return alert_lines(sources.alerts, times.at, times.now, times.fires, times.zone)
    if sources.replay:
        from gateway.simulation.given import recorded

        if times.at is not None or times.fires is not None:
            raise GivenError(
                "--at and --fires do not go with --replay: recorded alerts have times of their own"
            )
        return recorded(sources.replay)
    _refuse_twice(sources.labels)
    began = times.now if times.at is None else times.at
    if sources.rules:
        from gateway.simulation.rule_alerts import rule_alerts

        return rule_alerts(list(map(Path, sources.rules)), began, times.fires, labels_of(sources.labels))
    return gathered(one_alert(labels_of(sources.labels), began, times.fires))


def _refuse_twice(labels: tuple[str, ...]) -> None:
    """Raises `GivenError` where a label has two values: nobody can know which is meant."""
    values: dict[str, str] = {}
    for text in labels:
        for name, value in labels_of([text]).items():
            if values.setdefault(name, value) != value:
                raise GivenError(
                    f"{name} is given twice, as {values[name]!r} and as {value!r}; expected it once"
                )
