"""What one client is told, seen without a socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from monitor.alerting.model import State
from monitor.model.batch import Floats, Ids
from monitor.windows.frame import History
from monitor.wire import messages as m
from monitor.wire import past
from monitor.wire.codec import JSON, MSGPACK, Codec
from monitor.wire.messages import Message
from monitor.wire.session import PAUSE, Session
from monitor.wire.shared import SERIES_PART, Limits, Shared
from ui.client.fake import FakeCollector
from ui.client.fake_alerts import alert_for

RULES = """
[[rule]]
id = "hot"
metric = "room.warmth"
condition = { type = "threshold", operator = "gt", value = 30, window = "last_1_minute" }
"""


def _slope(times: Floats) -> Floats:
    return times % 1000


class Stage:
    """A collector with three rooms, and clients of it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.source = FakeCollector(now=1_000_000.0)
        for i, room in enumerate(("attic", "cellar", "kitchen")):
            self.source.gauge("room.warmth", lambda times, i=i: np.full(len(times), 10.0 * i), {"room": room})  # type: ignore[misc]
        self.shared = Shared(self.source, limits)

    def client(self, subprotocol: str = MSGPACK) -> Client:
        return Client(self, subprotocol)

    def tick(self) -> None:
        self.source.advance(1)
        self.shared.begin(self.shared.number + 1, self.source.now)


class Client:
    def __init__(self, stage: Stage, subprotocol: str) -> None:
        self.codec = Codec(subprotocol)
        self.session = Session(stage.shared, stage.shared.codec(subprotocol))

    def read(self, packets: Iterable[bytes] | None) -> list[Any]:
        assert packets is not None
        return [self.codec.decode(p.decode() if self.codec.text else p) for p in packets if p]

    def ask(self, request: m.Request) -> list[Any]:
        return self.read(self.session.receive(request))

    def refused(self, request: m.Request) -> str:
        (reply,) = self.ask(request)
        assert isinstance(reply, m.Reply)
        assert reply.error
        return reply.error

    def tick(self) -> list[Any]:
        return self.read(self.session.tick())


def _kinds(messages: list[Message]) -> list[str]:
    return [type(message).__name__ for message in messages]


WARMTH = m.Subscribe(1, "room.warmth", ("value", "max"))


def test_the_first_message_is_hello() -> None:
    client = Stage().client()
    assert _kinds(client.read(client.session.greet())) == ["Hello"]


def test_a_client_that_resumes_with_nothing_is_told_everything() -> None:
    stage = Stage()
    stage.source.book.log("note", "hello")
    got = stage.client().ask(m.Resume(1))
    assert _kinds(got) == ["Series", "Alerts", "Rules", "Events", "Health"]
    assert [entry.tags for entry in got[0].added] == [(("room", "attic"),), (("room", "cellar"),), (("room", "kitchen"),)]


def test_a_client_that_resumes_with_all_is_told_nothing_but_health() -> None:
    stage = Stage()
    stage.source.book.log("note", "hello")
    series, alerts, rules, events, _ = stage.client().ask(m.Resume(1))
    back = m.Resume(1, "boot-1", series.revision, alerts.revision or 0, rules.revision or 0, events.events[-1].id)
    again = stage.client().ask(back)
    assert [kind for kind in _kinds(again) if kind not in ("Alerts", "Rules")] == ["Health"]


def test_a_client_that_resumes_is_told_only_what_changed() -> None:
    stage = Stage()
    stage.source.book.load("rooms.toml", RULES)
    rule, key = stage.source.book.rules["hot"], stage.source.engine.table.info(0).key
    first = stage.source.book.put(alert_for(rule, key, State.FIRING, 0.0, 40.0))
    series, alerts, rules, _ = stage.client().ask(m.Resume(1))
    back = m.Resume(1, "boot-1", series.revision, alerts.revision, rules.revision)
    second = stage.source.book.put(alert_for(rule, stage.source.engine.table.info(1).key, State.FIRING, 0.0, 41.0))
    stage.source.remove("room.warmth", {"room": "cellar"})
    stage.source.gauge("room.damp", _slope)
    series, alerts, health = stage.client().ask(back)
    assert _kinds([series, alerts, health]) == ["Series", "Alerts", "Health"]
    assert ([entry.name for entry in series.added], series.gone) == (["room.damp"], (1,))
    assert [alert.id for alert in alerts.alerts] == [second.id] != [first.id]


def test_after_another_start_of_the_collector_everything_is_told_anew() -> None:
    stage = Stage()
    got = stage.client().ask(m.Resume(1, "an earlier boot", series=3, alerts=9, rules=9, events=9))
    assert [message.since for message in got if isinstance(message, m.Series | m.Alerts)] == [0, 0]


def test_a_long_table_comes_in_parts_of_which_only_the_last_counts() -> None:
    stage = Stage()
    for i in range(SERIES_PART):
        stage.source.gauge(f"more.{i}", _slope)
    parts = [message for message in stage.client().ask(m.Resume(1)) if isinstance(message, m.Series)]
    assert [(len(part.added), part.more) for part in parts] == [(SERIES_PART, True), (3, False)]


def test_a_subscription_gets_a_reply_then_a_frame_a_tick_and_rows_only_when_they_change() -> None:
    stage = Stage()
    client = stage.client()
    (reply,) = client.ask(WARMTH)
    assert reply.result == {"rows": 3}
    stage.tick()
    (first,) = client.tick()
    assert first.rows.tolist() == [0, 1, 2]
    assert [column.tolist() for column in first.columns] == [[0, 10, 20], [0, 10, 20]]
    stage.tick()
    (second,) = client.tick()
    assert second.rows is None
    assert second.time == first.time + 1
    stage.source.remove("room.warmth", {"room": "attic"})
    stage.tick()
    (third,) = client.tick()
    assert third.rows.tolist() == [1, 2]


def test_a_series_is_told_before_the_first_frame_that_has_it() -> None:
    stage = Stage()
    client = stage.client()
    client.ask(m.Resume(1))
    client.ask(m.Subscribe(1, "{}", ("value",)))
    stage.source.gauge("room.damp", _slope)
    stage.tick()
    series, frame, _ = client.tick()
    assert [entry.row for entry in series.added] == [3]
    assert frame.rows.tolist() == [0, 1, 2, 3]


def test_backfill_follows_the_reply_and_ends_now() -> None:
    stage = Stage()
    reply, history = stage.client().ask(m.Subscribe(1, "room.warmth", ("value",), since=-60.0))
    assert _kinds([reply, history]) == ["Reply", "History"]
    assert (len(history.times), history.times[-1]) == (60, stage.source.now)
    assert history.columns[0].reshape(3, 60)[2].tolist() == [20.0] * 60


def test_backfill_beyond_what_is_kept_by_the_second_comes_as_an_older_and_a_newer_part() -> None:
    stage = Stage()
    client = stage.client()
    stage.tick()
    now = stage.shared.time
    histories = [x for x in client.ask(m.Subscribe(1, "{}", ("rate",), since=now - 900, step=1.0)) if isinstance(x, m.History)]
    assert [(h.times[0] > now - 301, h.times[-1] <= now) for h in histories] == [(False, True), (True, True)]
    assert histories[0].times[-1] <= histories[1].times[0]
    (_,) = [x for x in client.ask(m.Subscribe(2, "{}", ("rate",), since=now - 900, step=10.0)) if isinstance(x, m.History)]


def test_a_long_history_is_read_in_slices_between_which_time_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "COSTLY_ROWS", 1)
    stage = Stage()
    packets = stage.client().session.receive(m.Subscribe(1, "room.warmth", ("value", "max"), since=-60.0))
    assert packets is not None
    got = []
    for packet in packets:
        stage.tick()
        got.append(packet)
    *_, history = stage.client().read(got)
    assert got.count(PAUSE) == 1 + 3 + 1
    assert len(history.times) == 60
    assert history.columns[0].tolist() == history.columns[1].tolist() == [0.0] * 60 + [10.0] * 60 + [20.0] * 60


def test_slices_that_the_engine_answers_with_other_times_are_put_on_the_first_ones() -> None:
    answers = iter([[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]])

    class Moving:
        def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
            times = np.array(next(answers))
            return History(rows, times, np.tile(times, (len(rows), 1)), 1.0, field, window)

    rows = np.arange(past.COSTLY_ROWS + 1, dtype=np.int32)
    reading = past.Past(past.PastQuery(rows, ("p99",), 60.0, 0.0, 4.0, 1.0))
    list(reading.read(Moving()))  # type: ignore[arg-type]
    values = reading.message(1, 0).columns[0].reshape(len(rows), 4)
    assert values[0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.array_equal(values[-1], [np.nan, 2.0, 3.0, 4.0], equal_nan=True)


def test_backfill_over_the_bound_is_coarser_and_a_query_over_it_is_refused_with_the_step_to_use() -> None:
    stage = Stage(Limits(history_cells=300))
    _, history = stage.client().ask(m.Subscribe(1, "room.warmth", ("value",), since=-1000.0))
    assert history.step == 10.0
    query = m.HistoryQuery(2, "room.warmth", ("value",), stage.source.now - 1000, stage.source.now)
    assert "raise the step to 10 s" in stage.client().refused(query)


def test_a_history_query_is_answered_with_its_id() -> None:
    stage = Stage()
    now = stage.source.now
    (history,) = stage.client().ask(m.HistoryQuery(9, "room.warmth", ("value", "mean"), now - 30, now, step=10.0))
    assert (history.id, history.sub, len(history.columns), len(history.times)) == (9, 0, 2, 3)


def test_a_limit_keeps_the_largest_rows() -> None:
    stage = Stage()
    client = stage.client()
    client.ask(m.Subscribe(1, "room.warmth", ("value",), limit=2))
    stage.tick()
    (frame,) = client.tick()
    assert frame.rows.tolist() == [1, 2]


def test_every_leaves_ticks_out() -> None:
    stage = Stage()
    client = stage.client()
    client.ask(m.Subscribe(1, "room.warmth", ("value",), every=3))
    frames = []
    for _ in range(9):
        stage.tick()
        frames += client.tick()
    assert len(frames) == 3


def test_a_client_that_was_slow_hears_how_many_frames_it_missed() -> None:
    stage = Stage()
    client = stage.client()
    client.ask(WARMTH)
    for _ in range(3):
        stage.tick()
        client.session.skip()
    stage.tick()
    (frame,) = client.tick()
    assert frame.skipped == 3
    assert frame.rows is not None
    stage.tick()
    assert client.tick()[0].skipped == 0


def test_clients_that_ask_for_the_same_share_one_encoding() -> None:
    stage = Stage()
    clients = [stage.client() for _ in range(20)]
    for client in clients:
        client.ask(WARMTH)
    stage.tick()
    before = stage.shared.encoded
    packets = [client.session.tick() for client in clients]
    assert stage.shared.encoded == before + 1
    assert all(packet[0] is packets[0][0] for packet in packets)


def test_json_and_messagepack_clients_are_told_the_same() -> None:
    stage = Stage()
    both = [stage.client(MSGPACK), stage.client(JSON)]
    for client in both:
        client.ask(m.Resume(1))
        client.ask(WARMTH)
    stage.tick()
    binary, text = (client.tick() for client in both)
    packed = [Codec().encode(message) for message in binary]
    assert packed == [Codec().encode(message) for message in text]


def test_get_gives_values_with_names() -> None:
    stage = Stage()
    (reply,) = stage.client().ask(m.Get(1, "room.warmth{room=cellar}", ("value", "p99.9")))
    assert reply.result == [
        {"name": "room.warmth", "tags": {"room": "cellar"}, "kind": "gauge", "unit": "", "fields": {"value": 10.0, "p99.9": 10.0}}
    ]


def test_status_is_hello_and_health_together() -> None:
    (reply,) = Stage().client().ask(m.Status(1))
    assert {"boot", "values", "notes", "windows"} <= set(reply.result)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (m.Subscribe(1, "room{", ("value",)), "column 6"),
        (m.Subscribe(1, "", ("value",)), "empty selector"),
        (m.Subscribe(1, "x" * 5000, ("value",)), "5,000 characters"),
        (m.Subscribe(1, "{}", ()), "0 fields"),
        (m.Subscribe(1, "{}", ("value",) * 17), "17 fields"),
        (m.Subscribe(1, "{}", ("p100",)), "unknown field 'p100'"),
        (m.Subscribe(1, "{}", ("value",), window=61.0), "no window of 61 s"),
        (m.Subscribe(1, "{}", ("value",), window=float("nan")), "no window of nan s"),
        (m.Subscribe(1, "{}", ("value",), every=0), "every"),
        (m.Subscribe(1, "{}", ("value",), limit=-1), "limit"),
        (m.Subscribe(1, "{}", ("value",), step=0.0), "step"),
        (m.Subscribe(1, "{}", ("value",), since=float("inf")), "since"),
        (m.HistoryQuery(1, "{}", ("value",), 10.0, 5.0), "before end"),
        (m.HistoryQuery(1, "{}", ("value",), float("nan"), 5.0), "before end"),
        (m.Get(1, "{}", ("value",), limit=0), "limit"),
        (m.Unsubscribe(1, 77), "no subscription 77"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(request_: m.Request, says: str) -> None:
    assert says in Stage().client().refused(request_)


def test_too_many_subscriptions_or_rows_are_refused() -> None:
    client = Stage(Limits(subscriptions=2, rows=2)).client()
    assert "selects 3 series (at most 2)" in client.refused(WARMTH)
    for number in (1, 2, 2):
        client.ask(m.Subscribe(number, "room.warmth{room=attic}", ("value",)))
    assert "2 subscriptions" in client.refused(m.Subscribe(3, "room.damp", ("value",)))


def test_feeds_live_as_long_as_somebody_wants_them() -> None:
    stage = Stage()
    one, two = stage.client(), stage.client()
    one.ask(WARMTH)
    two.ask(WARMTH)
    one.ask(m.Unsubscribe(2, 1))
    assert len(stage.shared.feeds) == 1
    two.session.close()
    assert not stage.shared.feeds


def test_a_read_only_collector_refuses_commands_but_checks_rules() -> None:
    source = FakeCollector(read_only=True)
    shared = Shared(source)
    session = Session(shared, shared.codec(MSGPACK))
    (reply,) = [Codec().decode(p) for p in session.receive(m.Acknowledge(1, ("a",), "me")) or []]
    assert isinstance(reply, m.Reply)
    assert "read-only" in reply.error
    assert session.receive(m.CheckRules(2, "a.toml", "")) is None


def test_a_result_that_cannot_be_written_becomes_an_error() -> None:
    client = Stage().client()
    (reply,) = client.read(client.session.reply(5, {"odd": object()}))
    assert (reply.id, reply.result) == (5, None)
    assert "could not be written" in reply.error


def test_a_client_without_resume_gets_nothing_unasked() -> None:
    stage = Stage()
    client = stage.client()
    stage.source.book.log("note", "hello")
    stage.tick()
    assert client.tick() == []
    assert client.session.lists() == []
