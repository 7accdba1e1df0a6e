"""A service check whose status changes is an event that says why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.statsd.grammar import MalformedLineError
from collector.receivers.statsd.parser import Limits, StatsdParser
from collector.receivers.statsd.service_checks import CheckStates, read_service_check
from monitor.alerting.model import Event

NOW = 1_700_000_000.0


def told(*lines: str, limits: Limits | None = None) -> list[Event]:
    parser = StatsdParser(limits)
    parser.feed(["\n".join(lines).encode()], NOW)
    return parser.take_events()


def test_a_change_of_the_status_is_told_with_its_message_once() -> None:
    ok, down = "_sc|db.up|0|h:web1|#env:prod|m:fine", r"_sc|db.up|2|d:1699999990|h:web1|#env:prod|m:connection refused|\nm\:x"
    assert told(ok, ok, down, down, ok) == [
        Event(1_699_999_990.0, "event", "db.up is critical: connection refused| m:x host:web1 env:prod", severity="critical"),
        Event(NOW, "event", "db.up is ok again: fine host:web1 env:prod", severity="info"),
    ]


def test_the_first_status_is_told_only_where_it_is_not_ok() -> None:
    assert told("_sc|a|0|m:fine") == []
    assert [event.text for event in told("_sc|a|1", "_sc|a|3|m:no answer")] == ["a is warning", "a is unknown: no answer"]


def test_each_set_of_tags_has_a_status_of_its_own() -> None:
    lines = ("_sc|a|2|#shard:1,env:x", "_sc|a|0|#shard:2,env:x", "_sc|a|2|#env:x,shard:1", "_sc|a|2|#shard:2,env:x")
    assert [event.text for event in told(*lines)] == ["a is critical shard:1 env:x", "a is critical shard:2 env:x"]


def test_statuses_and_events_are_bounded() -> None:
    states = CheckStates(2)
    for number in range(5):
        states.changed(read_service_check(b"_sc|c%d|2" % number), NOW)
    assert len(states) == 2
    assert len(told(*(f"_sc|c{n}|2" for n in range(50)), limits=Limits(events=7))) == 7


def test_hostile_texts_are_safe_and_bounded() -> None:
    tags = ",".join(f"tag{i}:{'v' * 150}" for i in range(25))
    [event] = told(f"_sc|\x1b[2J\u202e{'n' * 100}|2|#{tags}|m:{'x' * 900}\x07")
    assert event.text.isprintable()
    assert len(event.text) < 4000


@given(st.binary(max_size=60))
def test_noise_is_a_check_or_malformed(noise: bytes) -> None:
    for line in (b"_sc|" + noise, b"_sc|a|2|" + noise, b"_sc|a|1|m:" + noise):
        try:
            check = read_service_check(line)
        except MalformedLineError:
            continue
        event = CheckStates(5).changed(check, NOW)
        assert event is None or (event.text.isprintable() and event.at <= NOW)
