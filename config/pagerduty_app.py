"""The section about PagerDuty's way back: what people there acknowledge and resolve.

How events go to PagerDuty stands in `pagerduty_configs`, in teams and in users. What comes back is believed
if PagerDuty signed it; `gateway/pagerduty_in.py` sees to that.
"""

from pydantic import Field

from config.secret import reveal
from config.section import Section
from config.values import BaseUrl, PositiveDuration, Secret, SecretFile


class PagerDutyAppConfig(Section):
    """How acknowledgements and resolves come back from PagerDuty."""

    webhook_secret: Secret | None = Field(
        None,
        description="Of the webhook subscription (v3) that posts to /pagerduty/webhook. Several, with spaces"
        " between, in a rotation or for several subscriptions.",
    )
    webhook_secret_file: SecretFile | None = None
    replay_window: PositiveDuration = Field(
        3_600_000,
        description="How old an event may be when it comes. PagerDuty itself tries for about 20 minutes.",
    )
    api_token: Secret | None = Field(
        None,
        description="Of the REST API (read-only), for what webhooks leave out: keys of alerts, addresses.",
    )
    api_token_file: SecretFile | None = None
    api_url: BaseUrl = Field(
        "https://api.pagerduty.com",
        description="Of the REST API; in the EU service region https://api.eu.pagerduty.com.",
    )

    @property
    def answers(self) -> bool:
        """Whether anything comes back at all."""
        return bool(self.webhook_secret or self.webhook_secret_file)

    @property
    def reads(self) -> bool:
        """Whether the REST API can be asked."""
        return bool(self.api_token or self.api_token_file)


def webhook_secrets(app: PagerDutyAppConfig) -> list[str]:
    """Each that counts now; none where webhooks are not taken.

    Raises:
        SecretError: the file cannot be read.
    """
    return reveal(app.webhook_secret, app.webhook_secret_file).split()
