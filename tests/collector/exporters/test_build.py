"""Exports out of the settings, and all of them as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collector.exporters.build import Exports, exporters_of
from collector.exporters.exporter import FIGURES, TakesNothing, bounds_of
from collector.exporters.samples import SampleExporter
from collector.query import QueryService
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.query.history import Labels
from tests.collector.storage.remote.receiver import Receiver, knows_1_0_only, named, receiving, takes_all
from tests.collector.waits import running, until

NOW = 1_700_000_000.0


def made(folder: Path, *tables: dict[str, Any]) -> Exports:
    engine, queries = Engine(), QueryService(MemorySink().history)
    return Exports(exporters_of(tables, folder, lambda: engine.table, lambda: queries))


@pytest.mark.parametrize("answers", [takes_all, knows_1_0_only])
async def test_what_the_recorder_keeps_goes_to_the_history_and_selected_series_to_a_store(tmp_path: Path, answers: Any) -> None:
    async with receiving(Receiver(always=answers)) as receiver:
        exports = made(
            tmp_path,
            {
                "kind": "remote_write",
                "url": receiver.url,
                "selector": '{__name__=~"shop_.*"}',
                "tags": {"env": "prod"},
                "headers": {"X-Scope-OrgID": "shop"},
            },
        )
        near, engine, space = MemorySink(), Engine(), KeySpace()
        recorder = Recorder(engine, sink := exports.recorded(near))
        engine.tick(NOW)
        ids = [space.add(series_key(name), kind) for name, kind in (("shop.orders", Kind.COUNTER), ("other", Kind.GAUGE))]
        exporter = exports._exporters[0]
        assert isinstance(exporter, SampleExporter)
        for second in range(1, 4):
            engine.ingest(Batch(space, np.array(ids, np.int32), np.array([2.0, 5.0]), np.full(2, NOW + second - 0.5)))
            recorder.record(frame := engine.tick(NOW + second + 0.1))
            exports.take(frame)
            assert sink.commit()
        exporter.writer.sender._sleep = lambda _: _none()
        async with running(exports.run()):
            await until(lambda: exporter.idle)
        exports.close()
    labels: Labels = named("shop_orders", env="prod")
    start = int(NOW) * 1000
    assert receiver.samples() == {labels: [(start + 1000 * n, 2.0 * n) for n in range(4)]}
    assert receiver.requests[0][0]["X-Scope-OrgID"] == "shop"
    assert near.history.size >= 7
    assert exports.figures()["export_sent_total"] == 4
    assert exports.notes() == []


async def _none() -> None:
    return None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "kafka", "url": "http://x"}, "one of the kinds remote_write, otlp, statsd, pushgateway"),
        ({"kind": "otlp", "url": "http://x", "protocol": "avian"}, "speaks grpc or http, not 'avian'"),
        ({"kind": "otlp", "url": "ftp://u:secret@x"}, "no address of a remote store"),
        ({"kind": "statsd", "url": "x"}, "no address of a StatsD server"),
        (
            {"kind": "remote_write", "url": "http://u:secret@x", "selector": "{a"},
            "the selector of the export to http://x cannot be",
        ),
        ({"kind": "pushgateway", "url": "http://x", "tags": {"a-b": "c"}}, "cannot name a group"),
        ({"kind": "pushgateway", "url": "http://x", "selector": "{}"}, "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path, table: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        made(tmp_path, {"kind": "statsd", "url": "udp://127.0.0.1:1"}, table)
    assert "secret" not in str(raised.value)


def test_two_exports_of_the_same_would_share_a_queue(tmp_path: Path) -> None:
    table = {"kind": "statsd", "url": "udp://127.0.0.1:1"}
    with pytest.raises(ValueError, match=r"two exports go to udp://127\.0\.0\.1:1"):
        made(tmp_path, table, table)


def folders(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


async def test_every_kind_can_be_made_and_closed(tmp_path: Path) -> None:
    exports = made(
        tmp_path,
        {"kind": "remote_write", "url": "http://127.0.0.1:1/write"},
        {"kind": "otlp", "url": "http://127.0.0.1:1", "protocol": "http", "signals": ["traces"]},
        {"kind": "otlp", "url": "https://127.0.0.1:1"},
        {"kind": "statsd", "url": "udp://127.0.0.1:1", "protocol": "statsd", "queue": 1 << 20},
        {"kind": "pushgateway", "url": "http://127.0.0.1:1", "tags": {"job": "shop"}},
    )
    exports.take(Engine().tick(NOW))
    assert exports.figures() == dict.fromkeys(FIGURES, 0.0)
    assert exports.notes() == []
    async with running(exports.run()):
        pass
    exports.close()
    assert len(folders(tmp_path)) == 4  # what is pushed has no queue


class Wrong(TakesNothing):
    """Raises at everything."""

    name = "wrong"

    def take(self, frame: object) -> None:
        raise ZeroDivisionError

    async def run(self) -> None:
        raise ZeroDivisionError

    def close(self) -> None: ...

    def figures(self) -> dict[str, float]:
        return {}

    def notes(self) -> list[str]:
        return []


async def test_what_one_does_wrong_is_told_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    exports = Exports([Wrong(), Wrong()])
    exports.take(Engine().tick(NOW))
    assert exports.notes() == ["the export wrong failed to take a tick: ZeroDivisionError"]
    await exports.run()
    assert "the export wrong has ended" in caplog.text


def test_a_queue_is_in_segments_of_an_eighth() -> None:
    assert bounds_of(1 << 20).segment == 1 << 17
    assert bounds_of(1 << 30).segment == 8 << 20
