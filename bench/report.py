"""The figures as tables, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PEER = "alertmanager"


def tables(figures: dict[str, Any]) -> str:
    """All of it, one table for each part."""
    machine = figures["machine"]
    head = (
        f"{machine['processor']}, {machine['cpus']} CPUs, Python {machine['python']}, {machine['at']}; "
        f"load {machine['load_at_start']} before, {machine['load_at_end']} after"
        f"{'; quick' if figures['quick'] else ''}."
    )
    parts = [head]
    for name, make in _PARTS.items():
        if name in figures:
            parts.append(f"### {name.capitalize()}\n\n{make(figures[name])}")
    return "\n\n".join(parts)


def all_reached(figures: dict[str, Any]) -> bool:
    """Whether every figure that something is asked of is as good."""
    return all(_reached(figures))


def _reached(part: Any) -> Iterator[bool]:
    if isinstance(part, dict):
        if "reached" in part:
            yield part["reached"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _reached(one)


def _ingest(cases: Sequence[dict[str, Any]]) -> str:
    rows = []
    for case in cases:
        for store, ratio in case["ratios"].items():
            own, peer = case["peers"][store], case["peers"][PEER]
            cpu, other = own["cpu_us_per_alert"], peer["cpu_us_per_alert"]
            rows.append(
                (
                    f"{case['case']}, {store}",
                    f"**{ratio['ratio']:.2f}** {_mark(ratio)} (≥ {ratio['least']})",
                    f"{min(ratio['rounds'])} to {max(ratio['rounds'])}",
                    f"{own['alerts_per_s']:,} / {peer['alerts_per_s']:,}",
                    f"{cpu['gateway']} + {cpu['store']} / {other['peer']}",
                    f"{cpu['load']} / {other['load']}",
                )
            )
    names = ("case, store", "ratio", "rounds", "alerts/s, Tocsin / Alertmanager")
    return _table((*names, "CPU µs an alert, gateway + store / Alertmanager", "load's own µs"), rows)


def _storm(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("store", "Tocsin, alerts/s", "Alertmanager, alerts/s"),
        [(r["store"], r["alerts_per_s"][r["store"]], r["alerts_per_s"][PEER]) for r in rows],
    )


def _latency(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("peer", "p50 ms", "p99 ms", "slowest ms", "lost", "fsync p50 / p99 ms", ""),
        [
            (
                *(row["peer"], row["p50_ms"], row["p99_ms"], row["max_ms"], row["lost"]),
                f"{row['fsync_p50_ms']} / {row['fsync_p99_ms']}",
                _mark(row),
            )
            for row in rows
        ],
    )


def _deadlines(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("messages", "pending", "begun", "p50 ≤ ms", "p99 ≤ ms", "told once", "twice", "CPU ms a group", ""),
        [
            (
                "a webhook each" if row["messages"] else "none",
                *(f"{row['pending']:,}", row["begun"], row["p50_ms_at_most"], row["p99_ms_at_most"]),
                *(row["told_once"], row["told_twice"]),
                " + ".join(str(cost) for cost in row["cpu_ms_per_group"].values()),
                _mark(row),
            )
            for row in rows
        ],
    )


def _memory(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        (
            "store",
            "idle, gateway + store MB",
            "open alerts",
            "then, gateway + store MB",
            "Alertmanager MB",
            "",
        ),
        [
            (
                row["store"],
                f"{row['idle_mb']['gateway']} + {row['idle_mb']['store']}",
                f"{row['open_alerts']:,}",
                f"{row['full_mb']['gateway']} + {row['full_mb']['store']}",
                row["alertmanager_mb"],
                _mark(row),
            )
            for row in rows
        ],
    )


def _routing(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        (
            "routes",
            "known µs",
            "cold µs",
            "plain walk µs",
            "ratio",
            "compile ms",
            "place a known / new alert µs",
            "",
        ),
        [
            (
                *(f"{row['routes']:,}", row["hit_us"], row["cold_us"], row["plain_walk_us"], row["ratio"]),
                row["compile_ms"],
                f"{row['place_known_alert_us']} / {row['place_new_alert_us']}",
                _mark(row),
            )
            for row in rows
        ],
    )


def _silences(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("silences", "of which", "known µs", "new µs", "plain walk µs", "build ms", ""),
        [
            (
                *(f"{row['silences']:,}", row["kind"], row["known_us"], row["new_us"]),
                *(row["plain_walk_us"], row["build_ms"], _mark(row)),
            )
            for row in rows
        ],
    )


def _inhibition(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        (
            "index",
            "open alerts",
            "filing µs",
            "known roles µs",
            "free µs",
            "inhibited µs",
            "crowded µs",
            "in a circle µs",
            "released µs",
            "",
        ),
        [
            (
                *(row["index"], f"{row['open_alerts']:,}"),
                *(row.get(name, "") for name in ("filing", "roles", "free", "inhibited", "crowded")),
                *(row.get("circle", ""), row.get("released", ""), _mark(row)),
            )
            for row in rows
        ],
    )


def _rules(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("100 routes and 20 inhibition rules beside few", "ratio", "rounds", "gateway µs", "store µs", ""),
        [
            (
                *(row["case"], row["ratio"], " ".join(map(str, row["rounds"]))),
                *(
                    " → ".join(str(row["cpu_us_per_alert"][peer][role]) for peer in ("few", "many"))
                    for role in ("gateway", "store")
                ),
                _mark(row),
            )
            for row in rows
        ],
    )


def _check(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("`tocsin check` of", "routes", "inhibition rules", "findings", "s", ""),
        [
            (
                row["shape"],
                f"{row['routes']:,}",
                f"{row['rules']:,}",
                row["findings"],
                row["first_seconds"],
                _mark(row),
            )
            for row in rows
        ],
    )


def _oncall(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("on call, by", "who is, µs", "a year's gaps, ms", "of two years, ms", "gaps", ""),
        [
            (
                *(row["kind"], row["ask_us"], row["gaps_ms"], row["two_years_ms"], row["gaps"]),
                _mark(row),
            )
            for row in rows
        ],
    )


def _simulation(rows: Sequence[dict[str, Any]]) -> str:
    return _table(
        ("simulation", "", "asked for", ""),
        [(row["what"], row["value"], row["limit"], _mark(row)) for row in rows],
    )


def _escalation(rows: Sequence[dict[str, Any]]) -> str:
    late = _table(
        (
            "500 steps due a second",
            "open",
            "steps",
            "p50 ≤ ms",
            "p99 ≤ ms",
            "rung right",
            "CPU ms a step",
            "",
        ),
        [
            (
                *(row["what"], f"{row['incidents']:,}", row["steps"]),
                *(row["p50_ms_at_most"], row["p99_ms_at_most"], row["rung_right"]),
                " + ".join(str(cost) for cost in row["cpu_ms"].values()),
                _mark(row),
            )
            for row in rows
            if "us" not in row
        ],
    )
    cost = _table(("one decision", "µs"), [(row["what"], row["us"]) for row in rows if "us" in row])
    return f"{late}\n\n{cost}"


def _mark(row: dict[str, Any]) -> str:
    return {True: "✓", False: "✗", None: ""}[row.get("reached")]


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


_PARTS = {
    "escalation": _escalation,
    "ingest": _ingest,
    "storm": _storm,
    "latency": _latency,
    "deadlines": _deadlines,
    "memory": _memory,
    "routing": _routing,
    "rules": _rules,
    "silences": _silences,
    "inhibition": _inhibition,
    "check": _check,
    "oncall": _oncall,
    "simulation": _simulation,
}
