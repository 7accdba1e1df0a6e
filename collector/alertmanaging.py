"""Alertmanager on both sides: alerts of others taken in over its API and told to the book, ours sent to Alertmanagers."""

from __future__ import annotations

import importlib.metadata
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from collector.actions.alertmanagers import Alertmanagers
from collector.actions.outgoing import Resending
from collector.receivers.prometheus.access import Access
from collector.rules.received import ReceivedAlerts
from collector.server.alertmanager.api import AlertmanagerApi
from collector.server.alertmanager.said import Sayings
from collector.server.alertmanager.standing import Standing
from collector.server.origins import Origins
from monitor.alerting.model import Rule
from monitor.alerting.world import Answered

if TYPE_CHECKING:
    from collector.service import Service


class Alertmanaging:
    """Of a service whose desk is there already. `look` before a judgement, `send` after it."""

    def __init__(self, service: Service, now: float) -> None:
        """Raises `ValueError` with a sentence where the settings make no sense together."""
        settings, self._desk = service.settings, service.desk
        instance = secrets.token_hex(8)
        self.received = ReceivedAlerts()
        self.received.restore(self._desk.book.alerts.values(), now)
        groups = service.told.groups
        self._sayings = Sayings(
            (service.rules, service.told, self.received), self.received, lambda: groups.groups, lambda: service.http.url
        )
        standing = Standing(self._desk, self._sayings, service.publish)
        version = importlib.metadata.version("lightship")
        self._api = AlertmanagerApi(standing, self.received, Origins(settings["origins"]), version, service.started, instance)
        access = Access(
            user=settings["alertmanager_user"],
            password=settings["alertmanager_password"],
            password_file=settings["alertmanager_password_file"],
            bearer_token=settings["alertmanager_token"],
            bearer_token_file=settings["alertmanager_token_file"],
        )
        self._sender = Alertmanagers(settings["alertmanagers"], access, settings["interval"], instance)
        self._resending = Resending()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Rules that stand for the names of received alerts."""
        return self.received.rules

    @property
    def answers(self) -> dict[str, Answered]:
        """By the rule's id."""
        return self.received.answers

    @property
    def urls(self) -> Sequence[str]:
        """Where alerts are sent."""
        return self._sender.urls

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP side; pages of other origins may neither ask nor send."""
        return self._api.routes()

    def look(self, now: float) -> bool:
        """Take up what was posted; whether clients are to be told of rules anew."""
        return self.received.look(now)

    def send(self, now: float) -> None:
        """Hand what is due to the Alertmanagers, if there are any."""
        if not self._sender:
            return
        self._sayings.refresh()
        book = self._desk.book
        self._sender.put(self._resending.due(now, book.revision, book.alerts, self._sayings.of))

    async def run(self) -> None:
        """Send until cancelled."""
        await self._sender.run()

    def figures(self) -> dict[str, float]:
        """For health."""
        return self.received.figures() | self._api.figures() | self._sender.figures()

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        return self._sender.notes()
