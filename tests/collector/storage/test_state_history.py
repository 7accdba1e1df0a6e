"""What stood at any moment can be told afterwards: alerts, silences, rules and events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.storage import state_history
from collector.storage.state import StateStore
from collector.storage.state_schema import SCHEMA_VERSION
from monitor.alerting.model import RuleFile, State
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import Stage, make_rule


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[StateStore]:
    opened = StateStore(path)
    yield opened
    opened.close()


def incident(store: StateStore, stage: Stage) -> None:
    """An alert that fires at 1000, is acknowledged at 1100, silenced at 1200 and resolved at 1300."""
    store.save(stage.at(0, a=11), 1000.0)
    alert = stage.alerts["a"].id
    store.save(stage.book.acknowledge([alert], "Ana", 1100.0, "on it"), 1100.0)
    store.save(stage.book.add_silence(parse_matchers('s="a"'), 1200.0, 9000.0, "planned", "Ana", 1200.0), 1200.0)
    store.save(stage.at(300, a=1), 1300.0)


def test_alerts_and_silences_are_told_as_they_stood(store: StateStore) -> None:
    incident(store, Stage())
    assert not store.as_of(999.0).alerts
    (firing,) = store.as_of(1050.0).alerts
    assert (firing.state, firing.ack, firing.silenced_by) == (State.FIRING, None, ())
    (owned,) = store.as_of(1100.0).alerts
    assert owned.ack is not None
    assert owned.ack.who == "Ana"
    assert not store.as_of(1199.0).silences
    assert len(store.as_of(1200.0).silences) == 1
    assert store.as_of(1300.0).alerts[0].state is State.RESOLVED
    assert [event.kind for event in store.as_of(1150.0).events] == ["firing", "acknowledged"]


def test_what_was_forgotten_is_not_told_afterwards(store: StateStore) -> None:
    stage = Stage()
    incident(store, stage)
    day = 86_400
    store.save(stage.at(3 * day), 1000.0 + 3 * day)
    assert not store.as_of(1000.0 + 3 * day).alerts
    assert len(store.as_of(1400.0).alerts) == 1


def test_a_stretch_of_time_tells_what_changed_in_it(store: StateStore) -> None:
    incident(store, Stage())
    quiet = store.turns(1001.0, 1099.0)
    assert quiet == state_history.Turns()
    turns = store.turns(1050.0, 1250.0)
    assert len(turns.alerts) == 1
    assert turns.alerts[0].ack is not None
    assert len(turns.silences) == 1
    assert [event.kind for event in turns.events] == ["acknowledged", "silenced"]
    assert turns.rules is None


def test_a_moment_and_the_turns_since_lead_to_any_later_moment(store: StateStore) -> None:
    incident(store, Stage())
    for begin in range(950, 1350, 50):
        for end in range(begin, 1400, 50):
            alerts = {alert.id: alert for alert in store.as_of(begin).alerts}
            turns = store.turns(begin, end)
            alerts |= {alert.id: alert for alert in turns.alerts}
            for name in turns.removed:
                alerts.pop(name, None)
            assert tuple(alerts.values()) == store.as_of(end).alerts


def test_rules_are_told_as_they_stood_and_the_same_text_twice_is_one_version(store: StateStore) -> None:
    old, new = make_rule(), make_rule(more="cooldown = '1h'")
    store.remember_rules([old], [RuleFile("a.toml", "old", 1)], 100.0)
    store.remember_rules([old], [RuleFile("a.toml", "old", 1)], 150.0)
    store.remember_rules([new], [RuleFile("a.toml", "new", 2)], 200.0)
    assert store.as_of(120.0).rules == (old,)
    assert store.as_of(200.0).files[0].text == "new"
    assert store.as_of(99.0).rules == ()
    assert store.as_of(99.0).since == 100.0
    assert store.turns(100.0, 150.0).rules is None
    changed = store.turns(150.0, 200.0).rules
    assert changed is not None
    assert changed[0] == (new,)


def test_old_versions_go_but_what_stood_at_the_border_stays(store: StateStore) -> None:
    stage = Stage()
    store.save(stage.at(0, a=11, b=11), 1000.0)
    store.save(stage.at(60, a=11, b=1), 1060.0)
    now = 1060.0 + state_history.KEEP_VERSIONS + 1000.0
    before = {alert.id: alert for alert in store.as_of(2000.0).alerts}
    store.trim(now)
    assert {alert.id: alert for alert in store.as_of(now).alerts} == before
    assert store.dropped_versions == 0


def test_too_many_versions_cost_the_oldest_and_are_counted(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_history, "MAX_VERSIONS", 10)
    stage = Stage()
    for turn in range(30):
        store.save(stage.at(turn, a=11 if turn % 2 == 0 else 1), 1000.0 + turn)
    last = store.as_of(1030.0).alerts
    store.trim(1030.0)
    assert store.dropped_versions > 10
    assert store.as_of(1030.0).alerts == last


def test_a_store_of_the_first_format_gets_its_present_state_as_the_first_version(path: Path) -> None:
    store = StateStore(path)
    stage = Stage()
    store.save(stage.at(0, a=11), 1000.0)
    store.close()
    with sqlite3.connect(path) as older:
        tables = "versions", "rule_versions", "groups", "notices", "incidents"
        older.executescript("".join(f"DROP TABLE {name};" for name in tables) + "DROP INDEX events_at; PRAGMA user_version=1")
    older.close()
    store = StateStore(path)
    assert store.notice == ""
    assert [alert.id for alert in store.load().alerts] == [stage.alerts["a"].id]
    assert store.as_of(1000.0).alerts == store.load().alerts
    assert not store.as_of(999.0).alerts
    store.close()
    with sqlite3.connect(path) as again:
        assert again.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    again.close()


def test_a_version_that_cannot_be_read_is_left_out(path: Path, store: StateStore) -> None:
    store.save(Stage().at(0, a=11, b=11), 1000.0)
    with sqlite3.connect(path) as broken:
        broken.execute("UPDATE versions SET body = x'00' WHERE id = 1")
    broken.close()
    assert len(store.as_of(2000.0).alerts) == 1
