"""Every notification is handed over at least once, and what cannot be is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.actions.dispatch import MAX_ATTEMPTS, Dispatcher
from collector.storage.state import StateStore
from monitor.alerting.model import Notification
from tests.monitor.alerting.fakes import Stage, make_rule


class Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.broken: Exception | None = None

    def tell(self, notification: Notification, number: int) -> None:
        if self.broken is not None:
            raise self.broken
        self.told.append((number, notification.kind))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    opened = StateStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def test_what_is_due_is_told_once_and_becomes_an_event(store: StateStore) -> None:
    stage, recorder = Stage(), Recorder()
    dispatcher = Dispatcher(store, {"log": recorder})
    store.save(stage.at(0, a=11), 1000.0)
    store.save(stage.at(1, a=1), 1001.0)
    events = dispatcher.run(1001.0)
    assert [kind for _, kind in recorder.told] == ["firing", "resolved"]
    assert [(e.kind, e.alert) for e in events] == [("notified", stage.alerts["a"].id)] * 2
    assert events[0].text == 'log: r: m{s="a"} is 11, above 10.'
    assert dispatcher.run(1002.0) == ()
    assert (dispatcher.told, store.outbox_size()) == (2, 0)


def test_a_kill_between_telling_and_settling_tells_again_under_the_same_number(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    store.save(Stage().at(0, a=11), 1000.0)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            Dispatcher(store, {"log": recorder}).run(1000.0)
    Dispatcher(store, {"log": recorder}).run(1001.0)
    assert recorder.told == [(1, "firing"), (1, "firing")]


def test_an_unknown_action_is_said_once_with_the_place_of_the_rule(store: StateStore) -> None:
    recorder = Recorder()
    store.save(Stage(make_rule(more='actions = ["pagr", "log"]')).at(0, a=11), 1000.0)
    dispatcher = Dispatcher(store, {"log": recorder})
    events = dispatcher.run(1000.0)
    assert events[0].text == 'Nobody was told: the action "pagr" of test.toml, line 2 is unknown. Known are: log.'
    assert len(recorder.told) == 1
    assert dispatcher.run(1001.0) == ()
    assert dispatcher.failed == 1


def test_an_action_that_fails_is_tried_again_later_and_later(store: StateStore) -> None:
    recorder = Recorder()
    recorder.broken = OSError(28, "No space left on device")
    store.save(Stage().at(0, a=11), 1000.0)
    dispatcher = Dispatcher(store, {"log": recorder})
    assert "will try again: No space left" in dispatcher.run(1000.0)[0].text
    assert dispatcher.run(1004.0) == ()
    assert dispatcher.failed == 1
    assert dispatcher.run(1005.0) == ()
    assert dispatcher.failed == 2
    recorder.broken = None
    assert dispatcher.run(1014.0) == ()
    assert [e.kind for e in dispatcher.run(1015.0)] == ["notified"]


def test_a_mistake_in_one_action_keeps_no_other_from_being_told(store: StateStore, caplog: pytest.LogCaptureFixture) -> None:
    mistaken, recorder = Recorder(), Recorder()
    mistaken.broken = ZeroDivisionError("told to")
    store.save(Stage(make_rule(more='actions = ["pager", "log"]')).at(0, a=11), 1000.0)
    events = Dispatcher(store, {"pager": mistaken, "log": recorder}).run(1000.0)
    assert [kind for _, kind in recorder.told] == ["firing"]
    assert "pager could not tell of it and will try again: ZeroDivisionError: told to" in [event.text for event in events]
    assert "the action pager failed" in caplog.text


def test_after_twenty_attempts_it_gives_up_and_says_so(store: StateStore) -> None:
    recorder = Recorder()
    recorder.broken = OSError(5, "Input/output error")
    store.save(Stage().at(0, a=11), 1000.0)
    dispatcher = Dispatcher(store, {"log": recorder})
    texts = [event.text for attempt in range(MAX_ATTEMPTS) for event in dispatcher.run(1000.0 + 3600 * attempt)]
    assert "gave up" in texts[-1]
    assert (len(texts), store.outbox_size()) == (2, 0)


def test_one_run_hands_over_no_more_than_its_limit(store: StateStore) -> None:
    recorder = Recorder()
    store.save(Stage().at(0, **{f"s{n}": 11 for n in range(10)}), 1000.0)
    dispatcher = Dispatcher(store, {"log": recorder})
    dispatcher.run(1000.0, limit=4)
    assert len(recorder.told) == 4
    dispatcher.run(1000.0)
    assert len(recorder.told) == 10
