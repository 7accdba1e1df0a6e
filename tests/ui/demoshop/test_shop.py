"""The shop's model: the same for the same seed, whole traces, and incidents that hurt as they say."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ui.demoshop import incidents
from ui.demoshop.happened import CLIENT, CONSUMER, PRODUCER, SERVER, Log, Span
from ui.demoshop.incidents import DATABASE, LEAK, PROVIDER, SURGE, Incident, Schedule
from ui.demoshop.measures import memory
from ui.demoshop.services import SERVICES, slowdown
from ui.demoshop.shop import MOST_BEHIND, Shop, Traffic

BEGAN = 1_790_000_000.0
SEED = 7


def lived(seconds: float, seed: int = SEED, tick: float = 0.5, shop: Shop | None = None) -> list[Traffic]:
    shop = shop or Shop(seed, BEGAN)
    return [shop.advance(BEGAN + number * tick) for number in range(int(seconds / tick) + 1)]


def spans_of(traffic: list[Traffic]) -> list[Span]:
    return [span for each in traffic for span in each.spans]


def first(kind: str, seed: int = SEED) -> Incident:
    schedule = Schedule(seed)
    return next(one for one in map(schedule.incident, range(4)) if one.kind == kind)


def at(moments: float, seconds: float, seed: int = SEED) -> list[Traffic]:
    """What happens in so many seconds after a moment, without all that went before."""
    shop = Shop(seed, BEGAN)
    for begin in (moments - MOST_BEHIND, moments):
        shop.advance(BEGAN + begin)
    return [shop.advance(BEGAN + moments + number * 0.5) for number in range(1, int(seconds * 2) + 1)]


@pytest.fixture(scope="module")
def minute() -> list[Traffic]:
    return lived(60)


def test_the_same_seed_and_times_give_the_same_traffic(minute: list[Traffic]) -> None:
    assert lived(60) == minute
    assert lived(5, seed=8) != lived(5)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(st.floats(0.05, 0.4), min_size=3, max_size=7))
def test_when_it_is_asked_changes_nothing_of_what_happens(pauses: list[float]) -> None:
    shop, now = Shop(SEED, BEGAN), BEGAN
    asked: list[Span] = []
    for pause in pauses:
        now += pause
        asked += shop.advance(now).spans
    assert asked == Shop(SEED, BEGAN).advance(now).spans
    assert [span.end for span in asked] == sorted(span.end for span in asked)


def test_something_happens_within_the_first_second() -> None:
    assert spans_of(lived(1.0))


def test_every_parent_is_there_and_calls_lie_within_their_caller(minute: list[Traffic]) -> None:
    by_id = {span.span: span for span in spans_of(minute)}
    assert len(by_id) == len(spans_of(minute))
    roots = {span.trace for span in by_id.values() if not span.parent}
    checked = 0
    for span in by_id.values():
        if span.parent and span.trace in roots and span.parent in by_id:
            above = by_id[span.parent]
            assert above.trace == span.trace
            assert span.start <= span.end
            if above.kind == PRODUCER:
                assert span.start >= above.end
            else:
                assert above.start <= span.start <= span.end <= above.end
            checked += 1
        elif span.parent and span.trace in roots and span.end < (BEGAN + 50) * 1e9:  # a later one's caller may still be at work
            pytest.fail(f"{span.name} of {span.service} has lost its parent")
    assert checked > 5000


def test_a_purchase_goes_through_nine_services_a_queue_and_a_provider(minute: list[Traffic]) -> None:
    traces: dict[int, list[Span]] = defaultdict(list)
    for span in spans_of(minute):
        traces[span.trace].append(span)
    bought = next(spans for spans in traces.values() if any(span.service == "mailer" and span.kind == CONSUMER for span in spans))
    services = {span.service for span in bought}
    assert services >= {"edge", "web", "checkout", "cart", "users", "orders", "inventory", "payments", "mailer"}
    assert {SERVICES[name].datadog for name in services} == {True, False}
    assert {span.kind for span in bought} >= {SERVER, CLIENT, PRODUCER, CONSUMER}


def test_all_services_and_kinds_of_logs_speak_within_ten_seconds() -> None:
    traffic = lived(10)
    assert {span.service for span in spans_of(traffic)} == set(SERVICES)
    logs: list[Log] = [log for each in traffic for log in each.logs]
    assert {log.trace_in_text for log in logs} == {True, False}
    assert all(f"{log.trace:032x}" in log.body for log in logs if log.trace_in_text)
    assert [event.kind for each in traffic for event in each.events] == ["deploy"]


def test_work_takes_longer_under_load_and_never_without_end() -> None:
    assert slowdown("search", 1.0) == 1.0
    assert slowdown("search", 0.3) < 1.0 < slowdown("search", 2.0) < slowdown("search", 2.5) < slowdown("search", 99.0) < 20


def test_a_pause_is_made_up_for_in_part_only() -> None:
    shop = Shop(SEED, BEGAN)
    shop.advance(BEGAN)
    slept = shop.advance(BEGAN + 3600)
    assert len({span.trace for span in slept.spans}) < 40 * MOST_BEHIND * 3


def test_a_clock_that_steps_back_is_waited_out() -> None:
    shop = Shop(SEED, BEGAN)
    shop.advance(BEGAN + 2)
    assert not shop.advance(BEGAN + 1).spans
    assert shop.advance(BEGAN + 4).spans


# ------------------------------------------------------------ incidents


def p95(traffic: list[Traffic], service: str) -> float:
    took = sorted((span.end - span.start) / 1e6 for span in spans_of(traffic) if (span.service, span.kind) == (service, SERVER))
    return took[int(len(took) * 0.95)]


def failed(traffic: list[Traffic], service: str) -> float:
    served = [span for span in spans_of(traffic) if (span.service, span.kind) == (service, SERVER)]
    return sum(bool(span.error) for span in served) / len(served)


def test_the_first_incident_comes_within_two_minutes_and_each_ends_before_the_next() -> None:
    for seed in range(20):
        all_of_them = [Schedule(seed).incident(number) for number in range(9)]
        assert all_of_them[0].starts <= 120
        assert {one.kind for one in all_of_them[:4]} == {DATABASE, PROVIDER, LEAK, SURGE}
        for one, later in itertools.pairwise(all_of_them):
            assert one.ends + incidents.RAMPS[one.kind] < later.starts - incidents.DEPLOYED_BEFORE
            assert one.level(one.starts - 1) == 0 == one.level(one.ends + 60)
            assert one.level((one.starts + one.ends) / 2) == 1


def test_a_slow_database_makes_checkouts_slow_and_some_fail(minute: list[Traffic]) -> None:
    ill = at(first(DATABASE).starts + 20, 40)
    assert p95(ill, "orders") > 10 * p95(minute, "orders")
    assert p95(ill, "checkout") > 1200 > 2 * p95(minute, "checkout")
    assert failed(ill, "checkout") > failed(minute, "checkout") + 0.03
    assert p95(ill, "search") < 2 * p95(minute, "search")
    assert any("sequential scan" in log.body for each in ill for log in each.logs)
    assert {span.version for span in spans_of(ill) if span.service == "orders"} == {"2.14.0"}


def test_a_failing_provider_makes_payments_fail(minute: list[Traffic]) -> None:
    ill = at(first(PROVIDER).starts + 20, 40)
    assert failed(ill, "payments") > 0.3 > failed(minute, "payments") + 0.25
    assert any("could not be charged" in log.body for each in ill for log in each.logs)


def test_a_leak_takes_memory_until_the_process_ends_and_pages_do_without() -> None:
    leak, schedule = first(LEAK), Schedule(SEED)
    full = schedule.at(leak.starts + incidents.FILLS_IN - 1)
    assert memory(SERVICES["recommendations"], full) > 1.5e9 > 2 * memory(SERVICES["recommendations"], schedule.at(0))
    assert schedule.at(leak.starts + incidents.FILLS_IN + 1).restarting
    restarting = at(leak.starts + incidents.FILLS_IN + 0.5, 5)
    assert failed(restarting, "recommendations") > 0.9
    assert failed(restarting, "edge") < 0.1
    assert any("out of memory" in event.text for event in schedule.events(leak.starts, leak.ends, BEGAN))


def test_a_surge_brings_more_requests_and_a_queue(minute: list[Traffic]) -> None:
    surge = at(first(SURGE).starts + 40, 40)

    def rate(traffic: list[Traffic]) -> float:
        return Counter(span.service for span in spans_of(traffic) if span.kind == SERVER)["edge"] / (len(traffic) / 2)

    assert rate(surge) > 1.6 * rate(minute)
    assert p95(surge, "search") > 2 * p95(minute, "search")
    assert surge[-1].queue > 3 * max(each.queue for each in minute[-20:])


def test_every_event_is_told_once_and_in_its_time() -> None:
    schedule = Schedule(SEED)
    piece_by_piece = [event for second in range(1500) for event in schedule.events(second, second + 1, BEGAN)]
    assert all(BEGAN < event.at <= BEGAN + 1500 for event in piece_by_piece)
    assert len({(event.at, event.text) for event in piece_by_piece}) == len(piece_by_piece)
    assert {"deploy", "incident", "change", "event"} <= {event.kind for event in piece_by_piece}
    assert sum("Paypoint" in event.text for event in piece_by_piece) % 2 == 0


def test_an_exception_is_told_where_it_began_and_only_there() -> None:
    failed_ones = [span for span in spans_of(at(first(PROVIDER).starts + 20, 20)) if span.error]
    assert any(not span.raised for span in failed_ones)
    assert {span.name for span in failed_ones if span.raised == "ProviderError"} == {"POST api.paypoint.example"}
