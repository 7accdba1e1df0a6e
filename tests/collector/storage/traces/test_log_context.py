"""Ids of traces that senders write only into the text of a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.storage.traces.log_context import MOST_READ, context_of
from collector.storage.traces.questions import LogSearch
from collector.storage.traces.store import TraceStore
from tests.collector.storage.traces.samples import NOW, LogRow, logs_of

HIGH, LOW, SPAN = 0x4BF92F3577B34DA6, 0xA3CE929D0E0E4736, 0x00F067AA0BA902B7
TRACE, PART = f"{HIGH:016x}{LOW:016x}", f"{SPAN:016x}"


_ONES = 1111111111111111111


@pytest.mark.parametrize(
    "body",
    [
        f'{{"msg":"paid","trace_id":"{TRACE}","span_id":"{PART}"}}',
        f'{{"log":"{{\\"traceId\\": \\"{TRACE}\\", \\"spanId\\": \\"{PART}\\"}}"}}',
        f'level=info msg="paid" trace_id={TRACE} span_id={PART}',
        f"INFO [trace_id={TRACE} span_id={PART} resource.service.name=shop] paid",
        f"paid traceID: {TRACE.upper()}, spanID: {PART}",
        f"otelTraceID={TRACE} otelSpanID={PART} paid",
        f"request headers traceparent: 00-{TRACE}-{PART}-01 user-agent: curl",
        f'{{"headers":{{"traceparent":"00-{TRACE}-{PART}-00"}}}}',
    ],
)
def test_an_id_is_found_in_the_text_of_common_loggers(body: str) -> None:
    assert context_of(body) == (HIGH, LOW, SPAN)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            "[dd.service=shop dd.trace_id=1234567890123456 dd.span_id=7777777777777777777] paid",
            (0, 1234567890123456, 7 * _ONES),
        ),
        ('{"dd":{"trace_id":"1234567890123456","span_id":"12"}}', (0, 1234567890123456, 12)),
        (f"dd.trace_id={TRACE} dd.span_id={SPAN}", (HIGH, LOW, SPAN)),
        (f"trace_id={LOW:016x}", (0, LOW, 0)),
        ("trace_id=18446744073709551615", (0, 2**64 - 1, 0)),
    ],
)
def test_ids_of_64_bits_are_read_in_decimal_and_hexadecimal(body: str, found: tuple[int, int, int]) -> None:
    assert context_of(body) == found


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no such thing",
        "trace_id=" + "0" * 32,
        "trace_id=abc",
        "trace_id=18446744073709551616",
        f"trace_id={TRACE}ff",
        f"parent_trace_id={TRACE}",
        f"backtrace_id={TRACE}",
        f"parent_span_id={PART} my-trace-id-count=4",
        f"span_id={PART} and a trace of honey",
        f"traceparent=00-{TRACE}-{PART}",
        "x" * MOST_READ + f"trace_id={TRACE}",
        "trace_id" + " " * 100_000,
        "trace_id:" * 100_000,
    ],
)
def test_what_only_looks_like_an_id_is_none(body: str) -> None:
    assert context_of(body) == (0, 0, 0)


def test_a_record_is_found_by_the_id_in_its_text_and_one_that_its_sender_set_is_kept(tmp_path: Path) -> None:
    store = TraceStore(tmp_path, clock=lambda: NOW)
    rows = [
        LogRow(1, f"paid trace_id={TRACE} span_id={PART}"),
        LogRow(2, f"stored trace_id={TRACE}", trace=(5, 5)),
        LogRow(3, f"shipped dd.trace_id={LOW}"),
        LogRow(4, "nothing of it"),
    ]
    assert store.append_logs(logs_of(rows))
    assert store.commit()
    found = store.trace(TRACE).logs
    assert [log.body.split()[0] for log in found] == ["paid", "shipped"], "the lower half of an id is all that some write"
    assert found[0].span == PART
    assert [log.body.split()[0] for log in store.logs(LogSearch(trace=f"{5:016x}{5:016x}")).logs] == ["stored"]
    store.close()
