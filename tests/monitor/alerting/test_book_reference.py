"""Whatever happens in whatever order, the book does what the slow reference says, also when it is restarted in between."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.book import AlertBook
from monitor.alerting.model import Alert, Silence, State
from monitor.model.matchers import parse_matchers
from tests.monitor.alerting.fakes import NAN, Stage, make_rule
from tests.monitor.alerting.reference import Slow

values = st.sampled_from([5.0, 9.0, 10.0, 11.0, 20.0, None])
judged = st.tuples(st.just("judge"), st.integers(1, 30), values)
steps = st.one_of(
    judged,
    judged,
    judged,
    judged,
    st.tuples(st.just("ack"), st.integers(1, 60), st.none()),
    st.tuples(st.just("forever"), st.just(0), st.none()),
    st.tuples(st.just("release"), st.just(0), st.none()),
    st.tuples(st.just("silence"), st.integers(1, 60), st.none()),
    st.tuples(st.just("restart"), st.just(0), st.none()),
)


@settings(max_examples=300, deadline=None)
@given(
    wait=st.sampled_from([0, 10, 25]),
    cooldown=st.sampled_from([0, 20, 60]),
    recovery=st.sampled_from([10, 8]),
    story=st.lists(steps, min_size=5, max_size=40),
)
def test_the_book_agrees_with_the_reference(
    wait: int, cooldown: int, recovery: int, story: list[tuple[str, int, float | None]]
) -> None:
    rule = make_rule(condition=f", recovery = {recovery}", more=f'for = "{wait}s"\ncooldown = "{cooldown}s"')
    stage, slow = Stage(rule), Slow(wait, cooldown, recovery)
    now = 0.0
    for what, number, value in story:
        if what == "judge":
            now += number
            outcome = stage.at(now, a=NAN if value is None else value)
            expected = slow.step(now, value)
            assert [n.kind for n in outcome.notifications] == ([expected] if expected else [])
            assert state_of(stage) == slow.state
        elif what in ("ack", "forever") and slow.state != "inactive":
            until = now + number if what == "ack" else None
            stage.book.acknowledge([stage.alerts["a"].id], "Ana", 1000 + now, expires=None if until is None else 1000 + until)
            slow.acked_until = float("inf") if until is None else until
        elif what == "release" and slow.acked_until is not None:
            stage.book.release([stage.alerts["a"].id], "Ana", 1000 + now)
            slow.acked_until = None
        elif what == "silence":
            stage.book.add_silence(parse_matchers('s="a"'), 1000 + now, 1000 + now + number, "c", "Ana", 1000 + now)
            slow.silences += ((now, now + number),)
            slow.was_silenced = slow.was_silenced or slow.state != "inactive"
        elif what == "restart":
            stage.book = from_disk(stage.book, 1000 + now)


def state_of(stage: Stage) -> str:
    alert = stage.alerts.get("a")
    return "inactive" if alert is None or alert.state is State.RESOLVED else alert.state.value


def from_disk(book: AlertBook, now: float) -> AlertBook:
    """The book as a restart brings it back: through JSON, as the state store keeps it."""
    alerts = msgspec.json.decode(msgspec.json.encode(tuple(book.alerts.values())), type=tuple[Alert, ...])
    silences = msgspec.json.decode(msgspec.json.encode(tuple(book.silences.values())), type=tuple[Silence, ...])
    restored = AlertBook(value_refresh=0)
    restored.restore(alerts, silences, book.revision, now)
    return restored


numbers = st.one_of(st.floats(-1e6, 1e6), st.just(10.0), st.just(float("nan")))


@settings(max_examples=60, deadline=None)
@given(ticks=st.lists(st.lists(numbers, min_size=6, max_size=6), max_size=8), operator=st.sampled_from(["gt", "lte", "eq", "ne"]))
def test_what_is_stored_is_always_enough_to_know_every_alert(ticks: list[list[float]], operator: str) -> None:
    stage = Stage(make_rule(operator=operator))
    stored: dict[str, Alert] = {}
    streamed: dict[str, Alert] = {}
    for number, tick in enumerate(ticks):
        outcome = stage.at(number, **{f"s{n}": value for n, value in enumerate(tick)})
        for name in outcome.removed:
            stored.pop(name, None)
            streamed.pop(name, None)
        stored |= {alert.id: alert for alert in outcome.stored}
        streamed |= {alert.id: alert for alert in outcome.alerts}
    assert streamed == dict(stage.book.alerts)
    assert {name: unvalued(alert) for name, alert in stored.items()} == {
        name: unvalued(alert) for name, alert in stage.book.alerts.items()
    }


def unvalued(alert: Alert) -> Alert:
    return msgspec.structs.replace(alert, value=None, revision=0)
