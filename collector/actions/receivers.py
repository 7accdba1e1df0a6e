"""The receivers of the settings: [[receiver]] tables made into ways to tell somebody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.actions.receiver import Receiver
from monitor.alerting.routing.reader import RoutingError

if TYPE_CHECKING:
    from collector.actions.logged import NoticeLog

Table = Mapping[str, Any]

MAX_RECEIVERS = 1_000
MOST_TIMEOUT = 300.0
_ALERTS_LAST = 86_400.0
"""Seconds after which an Alertmanager takes for ended what it was told fires, should its end never be told."""
_ALERTS_PATH = "/api/v2/alerts"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@dataclass(frozen=True, slots=True)
class Receivers:
    """By their names, with how many notices a minute each may get."""

    by_name: Mapping[str, Receiver] = field(default_factory=dict)
    per_minute: Mapping[str, float] = field(default_factory=dict)

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.gather(*(receiver.close() for receiver in self.by_name.values()), return_exceptions=True)


def receivers_of(tables: Sequence[Table], folder: Path) -> Receivers:
    """From the settings. `folder`: the data folder, for what is written there. Raises `RoutingError` where one makes no sense."""
    if len(tables) > MAX_RECEIVERS:
        raise RoutingError(f"{len(tables)} receivers (at most {MAX_RECEIVERS})")
    made: dict[str, Receiver] = {}
    paces: dict[str, float] = {}
    making = _Making(folder)
    for table in tables:
        name = table["name"]
        try:
            made[name] = making.receiver(table)
        except ValueError as error:
            raise RoutingError(f"[[receiver]] {name!r}: {error}") from None
        paces[name] = _per_minute(name, table["per_minute"])
    return Receivers(made, paces)


def _per_minute(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 6000:
        raise RoutingError(f"[[receiver]] {name!r}: per_minute is a number above 0, up to 6000")
    return value


class _Making:
    """One after another; a type loads what it needs when the first of it is made. Raises `ValueError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log: NoticeLog | None = None
        self._own: dict[str, Callable[[Table], Receiver]] = {
            "email": self._mail,
            "exec": self._program,
            "log": self._logged,
            "desktop": self._desktop,
        }

    def receiver(self, table: Table) -> Receiver:
        if table["timeout"] > MOST_TIMEOUT:
            raise ValueError(f"timeout is at most {MOST_TIMEOUT:g}s")
        return self._own.get(table["type"], self._webhook)(table)

    def _webhook(self, table: Table) -> Receiver:
        from collector.actions.chats import PAGERDUTY
        from collector.actions.guard import check_url
        from collector.actions.posting import Post
        from collector.actions.webhook import Webhook

        url = table["url"] or (PAGERDUTY if table["type"] == "pagerduty" else "")
        if not url:
            raise ValueError(f"a receiver of type {table['type']} needs a url")
        check_url(url, table["private"])
        url, make = _form(table, url)
        headers = _headers(table)
        token = table["token"]
        if token and table["type"] != "pagerduty":
            headers.setdefault("Authorization", f"Bearer {token}")
        secrets = (token, table["secret"], *headers.values())
        return Webhook(Post(table["timeout"], table["private"], secrets), url, make, headers, table["secret"])

    def _mail(self, table: Table) -> Receiver:
        from collector.actions.letter import mailbox
        from collector.actions.mail import Mail, MailServer
        from monitor.settings.address import read_address

        for key in ("smtp", "sender", "to"):
            if not table[key]:
                raise ValueError(f"a receiver of type email needs {key}")
        if table["password"] and table["password_file"]:
            raise ValueError("set password or password_file, not both")
        if len(table["to"]) > 100:
            raise ValueError("to has at most 100 addresses; write to a list")
        try:
            address = read_address(table["smtp"])
        except ValueError:
            raise ValueError('smtp is the server as "mail.example.com:587"') from None
        server = MailServer(address, table["tls"], table["user"], table["password"], table["password_file"])
        to = [mailbox(one) for one in table["to"]]
        return Mail(server, mailbox(table["sender"]), to, table["timeout"], table["template"])

    def _program(self, table: Table) -> Receiver:
        from collector.actions.program import Program

        if not table["command"]:
            raise ValueError('a receiver of type exec needs a command, as in ["/usr/local/bin/tell", "--loud"]')
        if any("\0" in part for part in table["command"]):
            raise ValueError("command holds a NUL")
        return Program(table["command"], self._folder, table["timeout"])

    def _logged(self, _table: Table) -> Receiver:
        from collector.actions.log import LineFile
        from collector.actions.logged import FILE, NoticeLog

        if self._log is None:
            self._log = NoticeLog(LineFile(self._folder / FILE))
        return self._log

    def _desktop(self, table: Table) -> Receiver:
        from collector.actions.desktop import Desktop

        return Desktop(self._folder, table["timeout"])


def _form(table: Table, url: str) -> tuple[str, Callable[..., tuple[bytes, str]]]:
    """Where a type of webhook is posted to, and what makes its body."""
    from collector.actions import webhook
    from collector.actions.chats import ntfy_place

    kind, template = table["type"], table["template"]
    if kind == "slack":
        return url, webhook.slack_body(template)
    if kind == "teams":
        return url, webhook.teams_body(template)
    if kind == "discord":
        return url, webhook.discord_body(template)
    if kind == "pagerduty":
        if not table["token"]:
            raise ValueError("a receiver of type pagerduty needs a token: the routing key of its Events v2 integration")
        return url, webhook.pagerduty_body(table["token"], template)
    if kind == "ntfy":
        place, topic = ntfy_place(url)
        return place, webhook.ntfy_body(topic, template)
    if kind == "alertmanager":
        if template:
            raise ValueError("a receiver of type alertmanager has no template; use type webhook")
        base = url.rstrip("/")
        return base if base.endswith(_ALERTS_PATH) else base + _ALERTS_PATH, webhook.alerts_body(_ALERTS_LAST)
    if template:
        _check_template(template)
        return url, webhook.templated(template)
    return url, webhook.alertmanager_body if table["format"] == "alertmanager" else webhook.native_body


def _check_template(template: str) -> None:
    """A template of JSON must be JSON once it is filled in."""
    from collector.actions.trial import trial_notice
    from collector.actions.webhook import looks_like_json, templated

    if not looks_like_json(template):
        return
    try:
        json.loads(templated(template)(trial_notice("any", "somebody", 0.0))[0])
    except ValueError as error:
        raise ValueError(f"the template is no JSON once it is filled in ({error}); placeholders stand within quotes") from None


def _headers(table: Table) -> dict[str, str]:
    headers = table["headers"]
    if not isinstance(headers, Mapping):
        raise ValueError('headers is a table, as in { X-Team = "shop" }')
    for name, value in headers.items():
        if not name or not set(name) <= _LETTERS:
            raise ValueError(f"{name[:40]!r} is no name of a header")
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"the value of the header {name} holds what no header can")
    return dict(headers)
