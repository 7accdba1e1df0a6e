"""What views read is what the collector told."""

from __future__ import annotations

import math

import numpy as np

from monitor.alerting.model import Event
from monitor.model.series import Kind, SeriesKey
from monitor.wire import messages as m
from monitor.wire.messages import F64, I32
from tests.monitor.wire.protocol_examples import ALERT, SILENCE, T
from ui.client.mirror import MAX_EVENTS, Link, LinkChanged, Mirror

WINDOWS = (60.0,)


def _f(*values: float) -> F64:
    return np.array(values, np.float64).view(F64)


def _i(*values: int) -> I32:
    return np.array(values, np.int32).view(I32)


def _hello(boot: str = "one", interval: float = 1.0) -> m.Hello:
    return m.Hello("0.1.0", "here", boot, T, interval, WINDOWS, 3600.0)


def _entry(row: int, name: str) -> m.SeriesEntry:
    return m.SeriesEntry(row, name, (), 1)


def _names(mirror: Mirror) -> dict[int, str]:
    return {row: info.key.name for row, info in mirror.series.items()}


def test_series_are_added_replaced_and_dropped_and_each_change_is_seen() -> None:
    mirror = Mirror()
    assert mirror.apply(m.Series(5, 0, (_entry(0, "a"), _entry(1, "b")))) == {"series"}
    before = mirror.series_revision
    mirror.apply(m.Series(6, 5, (_entry(1, "c"),), gone=(0,)))
    assert _names(mirror) == {1: "c"}
    assert mirror.series_revision != before
    assert mirror.row_of(SeriesKey("c", ())) == 1
    assert mirror.row_of(SeriesKey("b", ())) is None
    assert mirror.series[1].kind is Kind.COUNTER


def test_a_table_in_parts_counts_once_the_last_has_come() -> None:
    mirror = Mirror()
    mirror.apply(_hello())
    assert mirror.apply(m.Series(9, 0, (_entry(0, "a"),), more=True)) == set()
    assert mirror.opening()[0].series == 0  # type: ignore[attr-defined]
    mirror.apply(m.Series(9, 9, (_entry(1, "b"),)))
    assert _names(mirror) == {0: "a", 1: "b"}
    assert mirror.opening()[0].series == 9  # type: ignore[attr-defined]


def test_an_unknown_kind_is_taken_for_a_gauge() -> None:
    mirror = Mirror()
    mirror.apply(m.Series(1, 0, (m.SeriesEntry(0, "a", (), 99),)))
    assert mirror.series[0].kind is Kind.GAUGE


def test_a_frame_gives_latest_values_and_keeps_its_rows_until_they_change() -> None:
    mirror = Mirror()
    mirror.apply(_hello())
    subscription = mirror.subscribe("{}", ("value", "max"), track=True)
    assert mirror.apply(m.Frame(subscription.id, T, (_f(1.0, 2.0), _f(3.0, 4.0)), _i(2, 5))) == {"frame"}
    mirror.apply(m.Frame(subscription.id, T + 1, (_f(6.0, 7.0), _f(8.0, 9.0))))
    assert subscription.value(5, "max") == 9.0
    assert math.isnan(subscription.value(3, "max"))
    assert subscription.track(2, "value")[1].tolist() == [1.0, 6.0]
    assert (subscription.time, mirror.time) == (T + 1, T + 1)


def test_frames_that_fit_nothing_are_left_out() -> None:
    mirror = Mirror()
    subscription = mirror.subscribe("{}", ("value",))
    assert mirror.apply(m.Frame(99, T, (_f(1.0),), _i(1))) == set()
    assert mirror.apply(m.Frame(subscription.id, T, (_f(1.0), _f(2.0)), _i(1))) == set()
    assert mirror.apply(m.Frame(subscription.id, T, (_f(1.0, 2.0),))) == set()
    assert mirror.apply(m.History(subscription.id, _f(1.0), _i(1), (_f(1.0),), 1.0)) == set()


def test_alerts_change_one_by_one_and_a_whole_list_replaces_all() -> None:
    mirror = Mirror()
    mirror.apply(m.Alerts(1, 0, T, (ALERT,), (SILENCE,)))
    assert mirror.apply(m.Alerts(2, 1, T, removed=("a1",))) == {"alerts"}
    assert (list(mirror.alerts), list(mirror.silences)) == ([], ["s1"])
    mirror.apply(m.Alerts(3, 0, T))
    assert mirror.silences == {}


def test_events_are_told_once_and_bounded() -> None:
    mirror = Mirror()
    events = tuple(Event(T, "note", str(i), id=i) for i in range(1, MAX_EVENTS + 11))
    mirror.apply(m.Events(events))
    assert mirror.apply(m.Events(events[-3:])) == set()
    assert len(mirror.events) == MAX_EVENTS
    assert mirror.events[-1].id == MAX_EVENTS + 10


def test_wishes_are_sent_once_and_again_on_a_new_connection() -> None:
    mirror = Mirror()
    called = []
    mirror.on_wish = lambda: called.append(1)
    first = mirror.subscribe("a", ("value",), backfill=600.0, track=True)
    second = mirror.subscribe("b", ("value",))
    assert [request.id for request in mirror.take_wishes()] == [first.id, second.id]
    assert mirror.take_wishes() == []
    mirror.unsubscribe(second)
    mirror.unsubscribe(second)
    (wish,) = mirror.take_wishes()
    assert isinstance(wish, m.Unsubscribe)
    resume, again = mirror.opening("Mira", "test")
    assert isinstance(resume, m.Resume)
    assert isinstance(again, m.Subscribe)
    assert (again.selector, again.since, resume.who) == ("a", -600.0, "Mira")
    assert len(called) == 3


def test_a_wish_withdrawn_before_it_was_sent_is_never_sent() -> None:
    mirror = Mirror()
    mirror.unsubscribe(mirror.subscribe("a", ("value",)))
    assert mirror.take_wishes() == []


def test_a_new_connection_asks_for_what_is_newer_than_the_newest_point() -> None:
    mirror = Mirror()
    mirror.apply(_hello())
    subscription = mirror.subscribe("a", ("value",), track=True)
    mirror.apply(m.Frame(subscription.id, T, (_f(1.0),), _i(1)))
    assert subscription.request().since == T - 5.0


def test_after_another_start_the_same_series_keep_their_past_under_new_rows() -> None:
    mirror = Mirror()
    mirror.apply(_hello("one"))
    mirror.apply(m.Series(3, 0, (_entry(0, "a"), _entry(1, "b"))))
    mirror.apply(m.Events((Event(T, "note", "x", id=40),)))
    subscription = mirror.subscribe("{}", ("value",), track=True)
    mirror.apply(m.Frame(subscription.id, T, (_f(10.0, 20.0),), _i(0, 1)))
    mirror.apply(_hello("two"))
    resume = mirror.opening()[0]
    assert isinstance(resume, m.Resume)
    assert (resume.series, resume.events) == (0, 0)
    mirror.apply(m.Series(2, 0, (_entry(0, "b"), _entry(1, "new"), _entry(7, "a"))))
    assert subscription.rows.tolist() == [0, 7]
    assert subscription.value(7, "value") == 10.0
    mirror.apply(m.Frame(subscription.id, T + 2, (_f(21.0, 0.0, 11.0),), _i(0, 1, 7)))
    assert subscription.track(7, "value")[1].tolist() == [10.0, 11.0]
    assert subscription.track(0, "value")[1].tolist() == [20.0, 21.0]
    assert len(mirror.events) == 0


def test_a_refused_subscription_says_why() -> None:
    mirror = Mirror()
    subscription = mirror.subscribe("{", ("value",))
    mirror.apply(m.Reply(subscription.id, "selector, column 2: the { is never closed with }"))
    assert "never closed" in subscription.error


def test_the_interval_decides_what_is_a_gap() -> None:
    mirror = Mirror()
    mirror.apply(_hello(interval=5.0))
    subscription = mirror.subscribe("{}", ("value",), track=True)
    for time in (T, T + 15, T + 31):
        mirror.apply(m.Frame(subscription.id, time, (_f(1.0),), _i(0)))
    assert subscription.gaps() == [(T + 15, T + 31)]


def test_the_link_is_part_of_the_state() -> None:
    mirror = Mirror()
    assert not mirror.connected
    assert mirror.apply(LinkChanged(Link("lost", T, "nothing listens there", 3))) == {"link"}
    assert (mirror.state.reason, mirror.state.attempt) == ("nothing listens there", 3)


def test_the_past_of_a_row_that_joins_a_limited_subscription_is_asked_for_once() -> None:
    mirror = Mirror()
    top = mirror.subscribe("{}", ("rate",), backfill=600.0, step=10.0, limit=1, track=True)
    mirror.take_wishes()

    def frame(time: float, row: int) -> None:
        mirror.apply(m.Frame(top.id, time, (np.array([1.0]).view(m.F64),), np.array([row], np.int32).view(m.I32)))

    frame(1.0, 4)
    assert mirror.take_wishes() == []
    frame(2.0, 7)
    (wish,) = mirror.take_wishes()
    assert isinstance(wish, m.Subscribe)
    assert (wish.id, wish.since) == (top.id, -600.0)
    frame(3.0, 7)
    assert mirror.take_wishes() == []
