"""Where a valid configuration writes matchers that the two syntaxes do not read alike, for `tocsin check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.matchers import parse_doubting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.problems import Path
    from config.schema import Config, RouteConfig
    from routing.matchers import Doubt


def doubts(config: Config) -> Iterator[tuple[Path, Doubt]]:
    """Every text of matchers that is in doubt, with its place: routes, inhibition rules, rules of teams."""
    for path, texts in _written(config):
        for at, text in enumerate(texts):
            if (doubt := parse_doubting(text)[1]) is not None:
                yield (*path, at), doubt


def _written(config: Config) -> Iterator[tuple[Path, Iterable[str]]]:
    yield from _of_routes(("route",), config.route)
    for at, rule in enumerate(config.inhibit_rules):
        yield ("inhibit_rules", at, "source_matchers"), rule.source_matchers
        yield ("inhibit_rules", at, "target_matchers"), rule.target_matchers
    for at, owned in enumerate(config.team_rules):
        yield ("team_rules", at, "matchers"), owned.matchers


def _of_routes(path: Path, route: RouteConfig) -> Iterator[tuple[Path, Iterable[str]]]:
    yield (*path, "matchers"), route.matchers
    for at, child in enumerate(route.routes):
        yield from _of_routes((*path, "routes", at), child)
