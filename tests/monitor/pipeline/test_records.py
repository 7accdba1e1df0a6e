"""Spans and log records: dropped, completed, and freed of personal data."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.matchers import parse_selector
from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy
from monitor.pipeline.records import RecordProcessors
from tests.monitor.pipeline.made import made_logs, made_spans, packed

EVERYTHING = PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.REDACT))


def unpacked(details: bytes) -> object:
    return msgspec.msgpack.decode(details)


def test_with_nothing_to_do_they_come_back_as_they_are() -> None:
    spans, logs = made_spans([(1, "web", "GET /")]), made_logs(["x"], ["web"], [9], [packed()])
    assert RecordProcessors().spans(spans) is spans
    assert RecordProcessors().logs(logs) is logs


def test_operations_attributes_and_events_of_spans_are_cleaned() -> None:
    details = [
        packed(attributes={"customer": "Ada Lovelace", "n": 3}, events=[{"name": "from 203.0.113.9", "time": 1}]),
        packed(attributes={"http.route": "/x"}),
    ]
    spans = made_spans([(1, "web", "mail to bob@example.com"), (2, "web", "GET /")], details=details)
    clean = RecordProcessors(pii=EVERYTHING).spans(spans)
    assert [clean.texts[place] for place in clean.names] == ["mail to [email]", "GET /"]
    assert unpacked(clean.details[0]) == {
        "attributes": {"customer": "[name]", "n": 3},
        "events": [{"name": "from [ipv4]", "time": 1}],
    }
    assert clean.details[1] is details[1]


def test_bodies_are_cleaned_and_a_record_is_dropped_where_its_body_says_so() -> None:
    pii = PiiFilter({PiiKind.EMAIL: PiiPolicy.REDACT, PiiKind.CARD: PiiPolicy.DROP})
    logs = made_logs(["to bob@example.com", "card 4111111111111111", "fine"], ["a", "b", "c"], [9, 9, 9], [packed()] * 3)
    processors = RecordProcessors(pii=pii)
    clean = processors.logs(logs)
    assert list(clean.bodies) == ["to [email]", "fine"]
    assert processors.dropped_records == 1


def test_an_attribute_that_is_to_be_dropped_goes_with_its_key() -> None:
    pii = PiiFilter({PiiKind.CARD: PiiPolicy.DROP})
    assert unpacked(pii.packed(packed(attributes={"pan": "4111111111111111", "x": None}))) == {"attributes": {"x": None}}


def test_spans_are_dropped_by_service_and_operation() -> None:
    spans = made_spans([(1, "web", "GET /health"), (2, "web", "GET /"), (3, "db", "GET /health")])
    processors = RecordProcessors(drop=[parse_selector('{__name__=~".*/health", service="web"}')])
    assert processors.spans(spans).traces[:, 1].tolist() == [2, 3]
    assert processors.figures()["processors_dropped_spans_total"] == 1


def test_records_are_dropped_by_service_and_level() -> None:
    logs = made_logs(["a", "b", "c", "d"], ["web", "web", "db", ""], [5, 9, 5, 0], [packed()] * 4)
    processors = RecordProcessors(drop=[parse_selector('{service="web", level=~"trace|debug"}')])
    assert list(processors.logs(logs).bodies) == ["b", "c", "d"]


def test_resources_are_completed_and_a_service_nobody_told_is_filled_in() -> None:
    spans = made_spans([(1, "", "a"), (2, "web", "a")], details=[b"", packed(resource={"env": "test"})])
    done = RecordProcessors({"service.name": "shop", "env": "prod"}).spans(spans)
    assert [done.texts[place] for place in done.services] == ["shop", "web"]
    assert unpacked(done.details[0]) == {"resource": {"service.name": "shop", "env": "prod"}}
    assert unpacked(done.details[1]) == {"resource": {"service.name": "shop", "env": "test"}}


VALUES = st.sampled_from(
    ["bob@example.com", "4111111111111111", "GB82WEST12345698765432", "203.0.113.9", "+442079460958", "fe80::1:2"]
)
PADDED = st.builds(
    lambda value, before, after: before + value + after, VALUES, st.sampled_from(["", "x "]), st.text(" y", max_size=90)
)
KEYS = st.sampled_from(["a", "customer", "db.password", "api.token", "phone", "name", "http.url", "x" * 40])
LEAVES = PADDED | st.integers(0, 127) | st.sampled_from(["Ada Lovelace", "hunter2", "5403926876", "x"])
NESTED = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


def walked(key: str, value: object) -> object:
    if isinstance(value, dict):
        return {name: walked(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [walked(key, each) for each in value]
    return EVERYTHING.value(key, value) if isinstance(value, str) else value


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, NESTED, max_size=4))
def test_the_search_over_packed_bytes_misses_nothing_that_a_walk_finds(details: dict[str, object]) -> None:
    assert unpacked(EVERYTHING.packed(packed(**details))) == walked("", details)
