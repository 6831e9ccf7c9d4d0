"""Policies by chance, as a user would write them, and what is said to incidents under them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from plain_policies import Policy, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

CONFIG = """
severities: {{names: [critical, high]}}
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
{routes}
receivers:
  - name: nobody
    webhook_configs: [{{url: "{hook}?nobody"}}]
{receivers}
escalation_policies:
{policies}
"""


def some_policies(
    random: Random, names: Sequence[str], targets: Sequence[str], unit: int
) -> dict[str, Policy]:
    """One for each name; each hands over to later ones only. `unit` (ms): what times are counted in."""
    return {name: _policy(random, name, names[at + 1 :], targets, unit) for at, name in enumerate(names)}


def _policy(random: Random, name: str, later: Sequence[str], targets: Sequence[str], unit: int) -> Policy:
    times = sorted(random.sample(range(1, 9), random.randint(1, 4)))
    steps = [Step(0, _some(random, targets), every=_every(random, unit, "acknowledged"))]
    for after in times:
        unless = "resolved" if random.random() < 0.35 else "acknowledged"
        over = random.choice(later) if later and random.random() < 0.3 else ""
        tells = () if over and random.random() < 0.5 else _some(random, targets)
        every = _every(random, unit, unless) if tells else 0
        raises = bool(over) and random.random() < 0.4
        steps.append(Step(after * unit, tells, unless, every, over, raises))
    return Policy(
        name,
        tuple(steps),
        ack_timeout=random.choice((0, 0, 3, 5)) * unit,
        repeat=random.choice((0, 0, 1, 2)),
        repeat_after=random.randint(1, 4) * unit,
        keep_ack=random.random() < 0.3,
    )


def _some(random: Random, targets: Sequence[str]) -> tuple[str, ...]:
    return tuple(random.sample(targets, random.choice((1, 1, 2, 3))))


def _every(random: Random, unit: int, unless: str) -> int:
    return random.randint(2, 4) * unit if random.random() < (0.15 if unless == "resolved" else 0.25) else 0


def config(policies: Mapping[str, Policy], targets: Sequence[str], hook: str) -> str:
    """A route for each policy, by the label `policy`; each target is an address of its own."""
    routes = [f'    - {{matchers: [policy="{name}"], policy: {name}}}' for name in policies]
    receivers = [f'  - name: {who}\n    webhook_configs: [{{url: "{hook}?{who}"}}]' for who in targets]
    written = [f"  - {json.dumps(_written(policy))}" for policy in policies.values()]
    return CONFIG.format(
        hook=hook, routes="\n".join(routes), receivers="\n".join(receivers), policies="\n".join(written)
    )


def _written(policy: Policy) -> dict[str, object]:
    """As YAML reads it, which reads JSON too."""
    found: dict[str, object] = {
        "name": policy.name,
        "keep_ack": policy.keep_ack,
        "steps": [_step(step) for step in policy.steps],
    }
    if policy.ack_timeout:
        found["ack_timeout"] = f"{policy.ack_timeout:.0f}ms"
    if policy.repeat:
        found["repeat"] = {"times": policy.repeat, "after": f"{policy.repeat_after:.0f}ms"}
    return found


def _step(step: Step) -> dict[str, object]:
    found: dict[str, object] = {"unless": step.unless}
    if step.after:
        found["after"] = f"{step.after:.0f}ms"
    if step.tells:
        found["notify"] = [{"receiver": who} for who in step.tells]
    if step.every:
        found["every"] = f"{step.every:.0f}ms"
    if step.policy:
        found["policy"] = step.policy
        if step.raises:
            found["severity"] = "critical"
    return found
