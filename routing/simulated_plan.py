"""The configuration in force in a simulation, and what a reload does to what is open.

As `gateway/plan.py` puts a plan in force, with `gateway/adoption.py`. Which groups go on as which finds
`adoption.py` out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from routing.adoption import Adoption
from routing.stored import GroupMeta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.simulator import Simulator
    from routing.town import Placing


class SimulatedPlan:
    """What counts now: `placing`, `dedup`, and alerts that fire where they belong no longer (`strays`)."""

    def __init__(self, world: Simulator, plan: Any) -> None:
        self._world = world
        self._generation = 1
        self._aliases: dict[str, str] = {}
        self.placing: Placing = world.town.placing(plan, f"1 {plan.digest}", {})
        self.dedup = world.town.dedup(plan)
        self.strays: Mapping[str, tuple[str, ...]] = {}

    def reload(self, plan: Any) -> None:
        """Another plan is in force; open incidents go on where their alerts belong by it."""
        if plan.digest == self.placing.plan.digest:
            return
        world, town = self._world, self._world.town
        self._generation += 1
        generation = f"{self._generation} {plan.digest}"
        adoption = Adoption(town.placing(plan, generation, {}), generation, self._aliases)
        fires = [
            (group, key, copy)
            for group in world.groups.values()
            for key in (*group.firing, *group.held)
            if (copy := group.alerts[key].copy) is not None
        ]
        for group, key, copy in fires:
            adoption.look_at(group.gid, key, copy.labels)
        self._aliases = adoption.settle(world.groups)
        self.strays = adoption.strays(self._aliases)
        self.placing = town.placing(plan, generation, self._aliases)
        self.dedup = town.dedup(plan)
        concerned: dict[str, None] = {}
        for group, key, copy in fires:
            roles = plan.inhibition.roles(copy.labels)
            if roles.targets or key in group.held:
                concerned[group.gid] = None
            if roles.sources:
                world.holds.source(group, key, roles.sources)
            else:
                world.holds.source_ends(f"{key}.{group.gid}")
        world.holds.sync()
        for gid in concerned:
            world.holds.mark_group(gid)
        now_by = adoption.by_now(self._aliases)
        for gid, place in now_by.items():
            world.carry_over(world.groups[gid], meta_of(place.meta))
        for gid in now_by:
            world.hurry(world.groups[gid])


@lru_cache(maxsize=65_536)
def meta_of(text: str) -> GroupMeta:
    """What a group keeps of the plan."""
    return GroupMeta(**orjson.loads(text))
