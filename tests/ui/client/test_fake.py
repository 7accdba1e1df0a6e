"""The in-memory collector behaves like one: same messages, same commands, the same at each run."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.model.matchers import parse_matchers
from monitor.wire import messages as m
from ui.client.fake import FakeCollector
from ui.client.fake_engine import bell
from ui.client.line import Answer
from ui.client.mirror import Mirror


@pytest.fixture
def demo() -> tuple[FakeCollector, Mirror]:
    fake, mirror = FakeCollector.demo(), Mirror()
    fake.start()
    fake.pump(mirror)
    return fake, mirror


def _ask(fake: FakeCollector, mirror: Mirror, request: m.Request) -> Answer:
    answers: list[Answer] = []
    fake.submit(request, answers.append)
    fake.pump(mirror)
    (answer,) = answers
    return answer


def _result(fake: FakeCollector, mirror: Mirror, request: m.Request) -> dict[str, object]:
    answer = _ask(fake, mirror, request)
    assert isinstance(answer, m.Reply)
    assert answer.error == ""
    assert isinstance(answer.result, dict)
    return answer.result


def test_the_demonstration_has_series_alerts_in_all_states_rules_and_people(demo: tuple[FakeCollector, Mirror]) -> None:
    _, mirror = demo
    assert {alert.state.value for alert in mirror.alerts.values()} == {"firing", "pending", "resolved", "inactive"}
    assert len(mirror.alerts) >= 8
    assert any(alert.silenced_by for alert in mirror.alerts.values())
    assert any(alert.ack for alert in mirror.alerts.values())
    assert any(alert.no_data for alert in mirror.alerts.values())
    assert mirror.rules is not None
    assert {file.name for file in mirror.rules.files} == {"shop.toml", "system.toml"}
    assert len(mirror.series) > 60
    assert {event.who for event in mirror.events} >= {"Mira", "Jonas"}


def test_firing_alerts_are_past_their_threshold_and_the_others_are_not(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    fake.advance(30)
    fake.pump(mirror)
    for alert in mirror.alerts.values():
        if alert.value is not None:
            over = alert.value >= alert.threshold if alert.operator == "gte" else alert.value > alert.threshold
            assert over == (alert.state in ("firing", "pending")), alert.id


def test_an_hour_of_history_is_there_from_the_start(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    latency = mirror.subscribe("shop.latency", ("p50", "p99"), 300.0, backfill=3600.0, track=True)
    fake.pump(mirror)
    fake.advance(3)
    fake.pump(mirror)
    row = next(row for row in latency.rows.tolist() if dict(mirror.series[row].key.tags)["service"] == "orders-db")
    times, values = latency.track(row, "p99")
    assert len(times) == 3603
    assert np.isfinite(values).all()
    assert values[-1] > 20 * values[0]


def test_two_runs_are_the_same() -> None:
    values = []
    for _ in range(2):
        fake, mirror = FakeCollector.demo(), Mirror()
        everything = mirror.subscribe("{}", ("value", "mean", "max"), 60.0)
        fake.start()
        fake.pump(mirror)
        fake.advance(7)
        fake.pump(mirror)
        values.append({name: column.tobytes() for name, column in everything.latest.items()})
    assert values[0] == values[1]


def test_windows_agree_with_the_seconds_they_are_made_of() -> None:
    fake = FakeCollector(now=1_000_000.0)
    script = fake.counter("orders", lambda times: np.round(5 + bell(times, 3)))
    seconds = script.curve(np.arange(fake.now - 60, fake.now))
    rows = np.array([0], np.int32)
    assert fake.engine.column("sum", 60.0, rows)[0] == pytest.approx(seconds.sum())
    assert fake.engine.column("rate", 60.0, rows)[0] == pytest.approx(seconds.mean())
    assert fake.engine.column("per_minute", 60.0, rows)[0] == pytest.approx(seconds.sum())
    past = fake.engine.history(rows, "sum", 60.0, fake.now - 20, fake.now, 1.0)
    assert past.values[0, -1] == pytest.approx(seconds.sum())


def test_alerts_are_acknowledged_and_released(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    alert = next(a.id for a in mirror.alerts.values() if a.state == "firing" and a.ack is None)
    assert _result(fake, mirror, m.Acknowledge(0, (alert,), "Ana", "mine")) == {"acknowledged": [alert]}
    held = mirror.alerts[alert].ack
    assert held is not None
    assert (held.who, held.note, mirror.events[-1].kind) == ("Ana", "mine", "acknowledged")
    _result(fake, mirror, m.Release(0, (alert,), "Ana"))
    assert mirror.alerts[alert].ack is None


def test_a_silence_takes_hold_ends_and_says_what_it_matched(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    request = m.AddSilence(0, parse_matchers('service="checkout"'), fake.now, fake.now + 60, "deploy", "Ana")
    result = _result(fake, mirror, request)
    assert result["matched"]
    for alert in mirror.alerts.values():
        assert (result["silence"] in alert.silenced_by) == (dict(alert.labels).get("service") == "checkout")
    fake.advance(61)
    fake.pump(mirror)
    assert not any(result["silence"] in alert.silenced_by for alert in mirror.alerts.values())


def test_a_silence_is_ended_early(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    _result(fake, mirror, m.ExpireSilence(0, "s1", "Ana"))
    assert mirror.silences["s1"].expired_by == "Ana"
    assert not any("s1" in alert.silenced_by for alert in mirror.alerts.values())


def test_rules_are_checked_saved_switched_and_deleted_with_comments_intact(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo

    def text() -> str:
        assert mirror.rules is not None
        return next(file.text for file in mirror.rules.files if file.name == "shop.toml")

    def base() -> int:
        assert mirror.rules is not None
        return next(file.revision for file in mirror.rules.files if file.name == "shop.toml")

    broken = text().replace('operator = "gt"', 'operator = "over"', 1)
    assert _result(fake, mirror, m.CheckRules(0, "shop.toml", broken))["problems"]
    refused = _ask(fake, mirror, m.SaveRules(0, "shop.toml", broken, base(), "Ana"))
    assert isinstance(refused, m.Reply)
    assert "shop.toml, line" in refused.error
    _result(fake, mirror, m.EnableRule(0, "queue_grows", False, "Ana"))
    assert mirror.rules is not None
    assert {rule.id: rule.enabled for rule in mirror.rules.rules}["queue_grows"] is False
    assert "# a burst is fine" in text()
    _result(fake, mirror, m.DeleteRule(0, "bounces", "Ana"))
    assert "bounces" not in {rule.id for rule in mirror.rules.rules}
    stale = _ask(fake, mirror, m.SaveRules(0, "shop.toml", text(), base() - 1, "Ana"))
    assert isinstance(stale, m.Reply)
    assert "kept as a draft" in stale.error


def test_what_does_not_exist_is_refused_by_name(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    for request in (
        m.Acknowledge(0, ("nope",), "me"),
        m.ExpireSilence(0, "nope", "me"),
        m.EnableRule(0, "nope", True, "me"),
        m.AddNote(0, "nope", "text", "me"),
    ):
        answer = _ask(fake, mirror, request)
        assert isinstance(answer, m.Reply)
        assert "nope" in answer.error


def test_a_lost_link_fails_commands_and_comes_back_without_a_gap(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    cpu = mirror.subscribe('host.cpu.busy{host=""}', ("value",), track=True)
    fake.pump(mirror)
    fake.advance(5)
    fake.disconnect("cable pulled")
    fake.pump(mirror)
    assert (mirror.state.state, mirror.state.reason) == ("lost", "cable pulled")
    answer = _ask(fake, mirror, m.Status(0))
    assert isinstance(answer, m.Reply)
    assert "cable pulled" in answer.error
    fake.advance(60)
    fake.reconnect()
    fake.pump(mirror)
    fake.advance(5)
    fake.pump(mirror)
    assert cpu.tracks is not None
    assert np.diff(cpu.tracks.times).tolist() == [1.0] * 69
    assert cpu.gaps() == []


def test_a_script_can_fire_and_resolve(demo: tuple[FakeCollector, Mirror]) -> None:
    fake, mirror = demo
    alert = next(a.id for a in mirror.alerts.values() if a.state == "inactive")
    fake.book.fire(alert, 1200.0)
    fake.advance(1)
    fake.pump(mirror)
    assert mirror.alerts[alert].state == "firing"
    assert mirror.events[-1].kind == "firing"
    fake.book.resolve(alert)
    fake.advance(1)
    fake.pump(mirror)
    assert mirror.alerts[alert].firings[-1].end is not None


def test_a_host_that_fell_silent_has_no_value() -> None:
    fake, mirror = FakeCollector.demo(), Mirror()
    silent = mirror.subscribe("host.cpu.busy{host=pick-07}", ("value", "age"), 60.0, backfill=600.0, track=True)
    fake.start()
    fake.pump(mirror)
    fake.advance(1)
    fake.pump(mirror)
    (row,) = silent.rows.tolist()
    values = silent.track(row, "value")[1]
    assert np.isnan(values[-1])
    assert np.isfinite(values[0])
