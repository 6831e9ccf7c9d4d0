"""The section about Slack's way back: buttons that are pressed and commands that are typed there.

How messages go to Slack stands in `global` and in `slack_configs`. What comes back is believed if Slack
signed it, or if it comes over a connection that we opened (Socket Mode); `gateway/slack_in.py` and
`gateway/slack_socket.py` see to that.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from config.secret import reveal
from config.section import Section
from config.values import Secret, SecretFile, quote, wrong

_TEAM: Final = re.compile(r"[TE][A-Z0-9]{2,20}")


def _team(value: str) -> str:
    if _TEAM.fullmatch(value) is None:
        what = f"{quote(value)} is no id of a workspace"
        raise wrong(
            what, "one such as T024BE7LD (in Slack's web client: the part of the address behind /client/)"
        )
    return value


def _one_of_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _app_level(value: SecretStr) -> SecretStr:
    if value.get_secret_value().startswith(("xoxb-", "xoxp-")):
        raise wrong(
            "this is the token of a bot or a user", "an app-level token (xapp-...), from Basic Information"
        )
    return value


TeamId = Annotated[str, AfterValidator(_team)]
TeamIds = Annotated[
    tuple[TeamId, ...],
    BeforeValidator(_one_of_several),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]


class SlackAppConfig(Section):
    """How presses of buttons and commands come back from Slack, and who may give them."""

    signing_secret: Secret | None = Field(
        None,
        description="Of the app, for what it sends to /slack/. Several, with spaces between, in a rotation.",
    )
    signing_secret_file: SecretFile | None = None
    socket_mode: bool = Field(False, description="Over a connection that Tocsin opens; needs app_token.")
    app_token: Annotated[Secret, AfterValidator(_app_level)] | None = Field(
        None, description="App-level token, xapp-..., with the scope connections:write."
    )
    app_token_file: SecretFile | None = None
    unknown_users: Literal["allow", "refuse"] = Field(
        "allow", description="Whether those may answer who are no `slack_id` of a user."
    )
    team_id: TeamIds = Field((), description="Workspaces that may answer, one or several; not given: any.")

    @property
    def answers(self) -> bool:
        """Whether anything comes back at all."""
        return bool(self.signing_secret or self.signing_secret_file or self.socket_mode)


def signing_secrets(app: SlackAppConfig) -> list[str]:
    """Each that counts now; none where requests are not taken.

    Raises:
        SecretError: the file cannot be read.
    """
    return reveal(app.signing_secret, app.signing_secret_file).split()
