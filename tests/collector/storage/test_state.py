"""What the state store is given, it gives back, whatever happened to the process or the file in between."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import msgspec
import pytest

from collector.storage.state import MAX_EVENTS, StateError, StateStore
from collector.storage.state_schema import SCHEMA_VERSION
from monitor.alerting.model import Event
from monitor.alerting.outcome import Outcome
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import Stage, make_rule


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


def played(store: StateStore, stage: Stage) -> Stage:
    """Some firing, acknowledged, silenced and resolved alerts, each outcome saved."""
    store.save(stage.book.add_silence(parse_matchers('s="b"'), 1000.0, 2000.0, "planned – ü", "Ana", 1000.0), 1000.0)
    store.save(stage.at(0, a=11, b=12, c=13), 1000.0)
    store.save(stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1001.0, "on it"), 1001.0)
    store.save(stage.at(2, c=1), 1002.0)
    return stage


def test_what_was_saved_is_loaded_by_the_next_process(path: Path) -> None:
    store = StateStore(path)
    book = played(store, Stage()).book
    store.close()
    again = StateStore(path)
    saved = again.load()
    assert {alert.id: alert for alert in saved.alerts} == dict(book.alerts)
    assert {silence.id: silence for silence in saved.silences} == dict(book.silences)
    assert (saved.revision, saved.saved_at, saved.skipped) == (book.revision, 1002.0, 0)
    assert again.notice == ""
    again.close()


def test_removed_alerts_and_silences_are_gone(path: Path) -> None:
    store = StateStore(path)
    stage = played(store, Stage())
    store.save(stage.at(6 * 86_400, a=1, b=1), 7.0)
    assert not store.load().silences
    store.save(stage.at(8 * 86_400), 8.0)
    assert not store.load().alerts
    store.close()


def test_events_get_rising_ids_and_are_read_in_order(path: Path) -> None:
    store = StateStore(path)
    stage = played(store, Stage())
    events = store.events_since(0)
    assert [event.kind for event in events] == ["silenced", "firing", "firing", "firing", "acknowledged", "resolved"]
    assert [event.id for event in events] == [1, 2, 3, 4, 5, 6]
    assert store.events_since(4) == events[4:]
    assert store.events_since(0, limit=2) == events[-2:]
    assert [event.kind for event in store.events_of(stage.alerts["a"].id)] == ["firing", "acknowledged"]
    assert store.append_events([Event(5.0, "note", "x")], 5.0)[0].id == 7
    store.close()


def test_notifications_wait_in_the_outbox_until_they_are_settled(path: Path) -> None:
    store = StateStore(path)
    played(store, Stage(make_rule(more='actions = ["log", "pager"]')))
    store.close()
    store = StateStore(path)
    queued = store.pending(2000.0)
    assert [(q.action, q.notification.kind) for q in queued] == [
        ("log", "firing"),
        ("pager", "firing"),
        ("log", "firing"),
        ("pager", "firing"),
        ("log", "resolved"),
        ("pager", "resolved"),
    ]
    store.settle([q.id for q in queued[:4]], [Event(1.0, "notified", "told")])
    assert store.events_since(0)[-1].kind == "notified"
    store.postpone(queued[4].id, 3000.0, "no route")
    assert [q.id for q in store.pending(2000.0)] == [queued[5].id]
    late = store.pending(3000.0)[0]
    assert (late.id, late.attempts, late.error) == (queued[4].id, 1, "no route")
    assert store.outbox_size() == 2
    store.close()


def test_an_outcome_without_anything_lasting_is_not_written(path: Path) -> None:
    store = StateStore(path)
    stage = Stage()
    store.save(stage.at(0, a=11), 1000.0)
    assert store.save(stage.at(10, a=12), 1010.0) == ()
    assert store.load().saved_at == 1000.0
    store.close()


def test_an_outcome_is_saved_whole_or_not_at_all(path: Path) -> None:
    store = StateStore(path)
    outcome = Stage().at(0, a=11)
    broken = msgspec.structs.replace(outcome, events=(msgspec.structs.replace(outcome.events[0], at=None),))
    with pytest.raises(StateError, match="cannot be saved"):
        store.save(broken, 1000.0)
    assert (store.load().alerts, store.events_since(0), store.outbox_size()) == ((), (), 0)
    store.save(outcome, 1000.0)
    assert store.load().alerts == outcome.stored
    store.close()


def test_old_events_and_too_many_are_forgotten_and_ids_never_repeat(path: Path) -> None:
    store = StateStore(path)
    store.append_events([Event(float(n), "note", "x") for n in range(3)], 2.0)
    assert store.trim(31 * 86_400.0) == 3
    assert store.append_events([Event(31 * 86_400.0, "note", "y")], 31 * 86_400.0)[0].id == 4
    many = [Event(31 * 86_400.0, "note", "z")] * (MAX_EVENTS + 10)
    store.append_events(many, 31 * 86_400.0)
    assert len(store.events_since(0, limit=10**6)) == MAX_EVENTS
    store.close()


def test_meta_is_remembered(path: Path) -> None:
    store = StateStore(path)
    assert store.meta("judged_at") is None
    store.set_meta(judged_at=12.5, name="x")
    assert (store.meta("judged_at"), store.meta("name")) == ("12.5", "x")
    store.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "middle", "truncated"])
def test_a_damaged_file_is_set_aside_under_a_dated_name_and_a_new_one_begun(path: Path, damage: str) -> None:
    store = StateStore(path)
    played(store, Stage())
    store.append_events([Event(float(n), "note", "x" * 100) for n in range(500)], 1.0)
    store.close()
    data = bytearray(path.read_bytes())
    if damage == "garbage":
        data = bytearray(os.urandom(5000))
    elif damage == "header":
        data[:16] = b"not a database!!"
    elif damage == "middle":
        data[4096:16384] = os.urandom(12288)
    else:
        del data[len(data) // 2 :]
    path.write_bytes(data)
    store = StateStore(path)
    aside = [entry.name for entry in path.parent.iterdir() if "-damaged-" in entry.name]
    assert aside
    assert "was damaged" in store.notice
    assert aside[0] in store.notice
    assert store.load().alerts == ()
    played(store, Stage())
    store.close()
    again = StateStore(path)
    assert (again.notice, len(again.load().alerts)) == ("", 3)
    again.close()


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    store = StateStore(path)
    assert (store.notice, store.load().alerts) == ("", ())
    store.close()


def test_a_row_that_cannot_be_read_is_skipped_and_counted(path: Path) -> None:
    store = StateStore(path)
    played(store, Stage())
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alerts SET body = '{' WHERE id = (SELECT min(id) FROM alerts)")
    connection.close()
    store = StateStore(path)
    saved = store.load()
    assert (len(saved.alerts), saved.skipped) == (2, 1)
    store.close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    StateStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StateError, match="newer Lightship"):
        StateStore(path)
    assert path.exists()


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").mkdir()
    with pytest.raises(StateError, match="Check its owner"):
        StateStore(tmp_path / "state.sqlite3")


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    StateStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_model_survives_the_way_through_the_store_field_by_field(path: Path) -> None:
    store = StateStore(path)
    outcome = Outcome(5, notifications=Stage(make_rule(more='labels = {a = "b"}')).at(0, a=11).notifications)
    store.save(outcome, 1.0)
    assert tuple(q.notification for q in store.pending(1e9)) == outcome.notifications
    store.close()
