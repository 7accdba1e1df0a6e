"""Queues that a test leaves as a killed process would are closed behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from collector.storage.remote.queue import SegmentQueue


@pytest.fixture(autouse=True)
def _queues_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[SegmentQueue] = []
    real = SegmentQueue.__init__

    def noted(self: SegmentQueue, *given: Any) -> None:
        real(self, *given)
        made.append(self)

    monkeypatch.setattr(SegmentQueue, "__init__", noted)
    yield
    for queue in made:
        queue.close()
