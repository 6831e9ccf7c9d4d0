"""What a simulation says is what the service does: the same people, at the same moments, by the same words.

Hypothesis draws whole worlds: configurations, alerts, answers, silences, services that are away, reloads. The
real service tells them on a real Redis in virtual time, by its real receivers, to real servers; the
simulation tells them too. Every message that a server took stands in both, and no other.
`make truth` tells thousands more.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from drawn_happenings import world
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from drawn import Drawn
    from worlds import Outcome

# In CI always the same worlds, so that a failure is its change's; by hand (`make truth`) others.
profile = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    phases={Phase.generate},  # `worlds.py --small` makes a world smaller: it leaves out what does not matter
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.store
@profile
@given(seed=st.integers(0, 2**31))
def test_a_simulation_tells_what_the_service_tells(judge: Callable[[Drawn], Outcome], seed: int) -> None:
    drawn = world(Random(seed))
    outcome = judge(drawn)
    again = f"python tests/truth/worlds.py --seed {seed} --small"
    assert not outcome.differs, "\n".join(
        (described(drawn), *outcome.differs, "", f"To make it smaller: {again}")
    )
