"""A session on a collector in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.wire.messages import GetIncidents, HistoryQuery, Request, WhyPaged
from ui.client.fake import FakeCollector
from ui.client.line import Callback
from ui.client.mirror import Mirror
from ui.views.drafts import DraftStore, MemoryDrafts
from ui.views.session import DESKTOP, Profile, Session
from ui.views.view import Picture, Sentence

BY_ITSELF = (HistoryQuery, WhyPaged, GetIncidents)
"""What is asked for without anybody's doing: the day's load, and what the collector knows of alerts that are shown."""


class Stage:
    """A collector, a mirror and a session; `sent` holds what the session asked for, `asked` what it asked by itself."""

    def __init__(self, fake: FakeCollector, drafts: DraftStore | None = None, profile: Profile = DESKTOP) -> None:
        self.fake = fake
        self.mirror = Mirror()
        self.sent: list[Request] = []
        self.asked: list[Request] = []
        self.drafts = drafts or MemoryDrafts()
        self.session = Session(
            self.mirror,
            self._send,
            now=lambda: self.fake.now,
            who="Mira",
            drafts=self.drafts,
            profile=profile,
            open_line=self.fake.another,
        )

    def _send(self, request: Request, callback: Callback) -> object:
        (self.asked if isinstance(request, BY_ITSELF) else self.sent).append(request)
        return self.fake.submit(request, callback)

    def start(self) -> Stage:
        """Connect, subscribe by looking, and take in the past."""
        self.fake.start()
        self.tick()
        self.session.picture()
        self.tick()
        return self

    def tick(self, seconds: int = 1) -> Picture:
        """Let time pass and look."""
        for _ in range(seconds):
            self.fake.advance(1)
            self.session.changed(set(self.fake.pump(self.mirror)))
            self.session.pump()
        return self.session.picture()

    def settle(self) -> Picture:
        """Take in what has been answered, without time passing."""
        for _ in range(2):  # what is answered may lead to another question
            self.session.changed(set(self.fake.pump(self.mirror)))
            self.session.pump()
            picture = self.session.picture()
        return picture

    def press(self, *keys: str) -> Picture:
        """Press keys and take in the answers."""
        for key in keys:
            assert self.session.key(key), f"{key} means nothing here"
        return self.settle()

    @property
    def toast(self) -> str:
        toast = self.session.picture().frame.toast
        return toast.text if toast is not None else ""


def words(sentence: Sentence) -> str:
    """A sentence as plain text, thin spaces made plain."""
    return "".join(run.text for run in sentence).replace("\u202f", " ")


@pytest.fixture
def demo() -> Stage:
    """The demonstration shop, connected."""
    return Stage(FakeCollector.demo()).start()


@pytest.fixture
def empty() -> Stage:
    """A collector that has no series at all, connected."""
    return Stage(FakeCollector()).start()


Make = Callable[[], Stage]
