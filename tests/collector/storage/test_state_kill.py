"""Killed at any moment: what was acknowledged is there, and no half of a step is."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from collector.storage.state import StateStore
from monitor.alerting.model import Alert, Silence
from tests.collector.storage.state_writer import perform, stage_for

ROUNDS = 15
ROOT = Path(__file__).parents[3]


def test_kill_9_at_any_moment_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    draw = random.Random(7)
    reference, done, events, notifications = stage_for(), 0, 0, 0
    for name in "abc":
        reference.engine.set("m", 0, s=name)
    for _ in range(ROUNDS):
        told = killed_after(path, steps=draw.randint(1, 40))
        store = StateStore(path)
        saved = store.load()
        kept = int(saved.saved_at)
        assert kept >= told, "a step that was told of as saved is lost"
        while done < kept:
            done += 1
            outcome = perform(reference, done)
            events += len(outcome.events)
            notifications += len(outcome.notifications)
        book = reference.book
        assert seen(saved.alerts, saved.silences) == seen(book.alerts.values(), book.silences.values())
        assert sorted((s.comment, s.ends) for s in saved.silences) == sorted((s.comment, s.ends) for s in book.silences.values())
        assert len(store.events_since(0, limit=10**6)) == events
        assert store.outbox_size() == notifications
        assert store.notice == ""
        store.close()
    assert done > ROUNDS


def killed_after(path: Path, steps: int) -> int:
    """Start the writer, kill it when it has told of so many steps, return the last number it told."""
    command = [sys.executable, "-m", "tests.collector.storage.state_writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        last = 0
        for _ in range(steps):
            last = int(process.stdout.readline())
        process.kill()
        rest = [line for line in process.stdout.read().split("\n")[:-1] if line]
    return int(rest[-1]) if rest else last


def seen(alerts: Iterable[Alert], silences: Iterable[Silence]) -> dict[str, Alert]:
    """What a person sees of the alerts: all but the present value and revision, which the next tick brings anyway.

    Silences are named by their comment, because their ids differ between the two lives.
    """
    names = {silence.id: silence.comment for silence in silences}
    return {
        alert.id: replace(alert, value=None, revision=0, silenced_by=tuple(sorted(names[s] for s in alert.silenced_by)))
        for alert in alerts
    }
