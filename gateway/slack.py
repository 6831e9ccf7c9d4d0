"""Slack's way back into the service: its parts put together, started and stopped.

Over HTTP where a signing secret is configured, over Socket Mode where that is wanted, or both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import slack_in
from gateway.slack_acts import SlackActs
from gateway.slack_commands import SlackCommands
from gateway.slack_events import SlackEvents
from gateway.slack_on_call import SlackOnCall
from gateway.slack_socket import SlackSocket
from gateway.slack_web import SlackWeb

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from gateway.answers import Answers
    from gateway.oncall import OnCall
    from gateway.plan import PlanInForce
    from gateway.store.store import Store


class SlackBack:
    """One process's part in what people do in Slack."""

    def __init__(
        self,
        store: Store,
        plan: PlanInForce,
        answers: Answers,
        on_call: OnCall,
        external_url: Callable[[], str],
    ) -> None:
        self._plan = plan
        self._web = SlackWeb(lambda: plan.config)
        acts = SlackActs(store, answers, external_url)
        commands = SlackCommands(store, acts, SlackOnCall(store, on_call, lambda: plan.config))
        self.events = SlackEvents(store, lambda: plan.config, commands, self._web)
        self.socket = SlackSocket(self._web, lambda: plan.config.slack, self.events.hear)

    def routes(self) -> list[web.RouteDef]:
        """Those that Slack posts to."""
        return slack_in.routes(self.events, lambda: self._plan.config.slack)

    async def stop(self, within_s: float) -> None:
        """Lets what was taken be done for so long; `socket.run` must have ended before."""
        await self.events.stop(within_s)
        await self._web.close()
