"""The windows of before a restart, out of the journal."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collector.storage.journal import Journal, ahead
from monitor.engine import Engine

log = logging.getLogger("lightship")


def restored(journal: Journal, begin: Callable[[], Engine], now: float) -> tuple[Engine, float]:
    """An engine that was told what the journal holds, and how many seconds that reaches back, 0 when it holds nothing.

    `begin` makes an engine that was told nothing; that is what is returned when the journal cannot be replayed. What of it was
    damaged is logged.
    """
    engine, first = begin(), 0.0
    try:
        with _without_collections():
            for delta in ahead(journal.read(now)):
                if len(delta.rows):
                    first = first or delta.time
                engine.replay(delta)
    except Exception:
        log.exception("the journal holds what cannot be replayed; the windows begin empty")
        return begin(), 0.0
    for problem in journal.problems:
        log.warning("journal: %s", problem)
    return engine, now - first if first else 0.0


@contextmanager
def _without_collections() -> Iterator[None]:
    """Everything that is made stays: to look it through for garbage again and again takes a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()
