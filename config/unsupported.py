"""Keys that Alertmanager knows, or a later Tocsin will, and this version refuses: never silently ignored.

Section -> key -> what would be lost without it. `section.py` lets an empty one pass, because then nothing
would be; `load.py` says the rest. Take a key out here when its section in `schema.py` gets it.
"""

from typing import Final

_ELSEWHERE = "all that this receiver should send there would be lost; webhook_configs reach any service"
_OTHER_SERVICES = (
    "discord_configs",
    "incidentio_configs",
    "jira_configs",
    "mattermost_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "opsgenie_configs",
    "pushover_configs",
    "rocketchat_configs",
    "sns_configs",
    "telegram_configs",
    "victorops_configs",
    "webex_configs",
    "wechat_configs",
)
_OTHER_DEFAULTS = (
    "jira_api_url",
    "mattermost_webhook_url",
    "mattermost_webhook_url_file",
    "opsgenie_api_key",
    "opsgenie_api_key_file",
    "opsgenie_api_url",
    "rocketchat_api_url",
    "rocketchat_token",
    "rocketchat_token_file",
    "rocketchat_token_id",
    "rocketchat_token_id_file",
    "smtp_auth_secret",
    "smtp_auth_secret_file",
    "telegram_api_url",
    "telegram_bot_token",
    "telegram_bot_token_file",
    "victorops_api_key",
    "victorops_api_key_file",
    "victorops_api_url",
    "webex_api_url",
    "wechat_api_corp_id",
    "wechat_api_secret",
    "wechat_api_secret_file",
    "wechat_api_url",
)

UNSUPPORTED: Final[dict[str, dict[str, str]]] = {
    "Config": {
        "tracing": "no traces would be sent",
        "event_recorder": "no events would be recorded",
    },
    "ReceiverConfig": dict.fromkeys(_OTHER_SERVICES, _ELSEWHERE)
    | {"labels": "the labels of this receiver would be lost"},
    "GlobalConfig": dict.fromkeys(
        _OTHER_DEFAULTS, "it belongs to a kind of receiver, or of login, that this version does not have"
    ),
    "RedisConfig": {"outage": "senders get 503 while the store is away, and nothing is sent from memory"},
    "PagerDutyConfig": {"timeout": "attempts have 5 seconds"},
    "SlackConfig": {
        "actions": "these buttons would be missing",
        "callback_id": "nothing would answer to it",
        "footer": "the footer would be missing; write it in text:",
        "image_url": "the image would be missing",
        "link_names": "names would not be linked; use mention: to notify people",
        "message_text": "the text would be missing; write it in text:",
        "mrkdwn_in": "nothing (text is always formatted): the key can go",
        "pretext": "the text above the message would be missing; write it in text:",
        "short_fields": "fields would not be side by side; write short: true in each of fields:",
        "thumb_url": "the image would be missing",
        "timeout": "attempts have the time limit of all receivers",
        "update_message": "nothing (with a bot token the message is always edited): the key can go",
    },
    "EmailConfig": {
        "auth_secret": "CRAM-MD5 is not spoken; use auth_password",
        "auth_secret_file": "CRAM-MD5 is not spoken; use auth_password_file",
        "threading": "nothing (mails of an incident are always threaded): the key can go",
    },
    "WebhookConfig": {"payload": "the receiver would get Alertmanager's body instead"},
    "HTTPConfig": {
        "oauth2": "requests would go out without a token; use authorization or basic_auth",
        "enable_http2": "nothing (HTTP/1.1 is always used): the key can go",
        "no_proxy": "hosts named in it would be reached through the proxy",
        "proxy_from_environment": "the proxy would not be used; name it in proxy_url",
        "proxy_connect_header": "the proxy would not get these headers",
        "http_headers": "requests would go out without these headers",
    },
    "BasicAuth": {"username_file": "requests would go out without a user name; write it in username"},
    "TLSConfig": {
        "ca": "the certificates written inline would not be trusted; name a file in ca_file",
        "cert": "the client certificate would not be shown; name a file in cert_file",
        "key": "the client certificate would not be shown; name a file in key_file",
        "max_version": "newer versions of TLS would be used",
    },
}
