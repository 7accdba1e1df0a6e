"""A process that changes the state until it is killed. After each saved step it says the step's number."""

from __future__ import annotations

import sys
from pathlib import Path

from collector.storage.state import StateStore
from monitor.alerting.book import AlertBook
from monitor.alerting.outcome import Outcome
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import Stage, make_rule


def stage_for(book: AlertBook | None = None) -> Stage:
    return Stage(make_rule(more='cooldown = "0s"'), book=book)


def perform(stage: Stage, step: int) -> Outcome:
    """Step n, the same in every process: alerts come and go, are taken, silenced; every step changes something."""
    now = 1000.0 + step
    outcome = stage.at(step, a=20 if step % 2 else 1, b=20 if step % 3 else 1, c=20)
    if step % 4 == 1:
        taken = stage.book.acknowledge([stage.alerts["a"].id], f"Ana{step}", now)
        return merged(outcome, taken)
    if step % 4 == 2:
        return merged(outcome, stage.book.add_silence(parse_matchers("s=c"), now, now + 2.5, f"step {step}", "Bo", now))
    return outcome


def merged(first: Outcome, second: Outcome) -> Outcome:
    alerts = {alert.id: alert for alert in (*first.stored, *second.stored)}
    return Outcome(
        second.revision,
        stored=tuple(alerts.values()),
        silences=first.silences + second.silences,
        removed=first.removed + second.removed,
        events=first.events + second.events,
        notifications=first.notifications + second.notifications,
    )


def main(path: str) -> None:
    store = StateStore(Path(path))
    saved = store.load()
    stage = stage_for()
    first = int(saved.saved_at)
    stage.book.restore(saved.alerts, saved.silences, saved.revision, 1000.0 + first)
    for name in "abc":
        stage.engine.set("m", 0, s=name)
    for step in range(first + 1, 100_000):
        store.save(perform(stage, step), float(step))
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
