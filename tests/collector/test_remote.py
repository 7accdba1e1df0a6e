"""A history in a remote store as the collector has it: recorded once, asked in one place."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from collector.histories import OpenHistory
from collector.query import QueryService
from collector.remote import keep_remotely
from collector.storage.memory_sink import MemorySink
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.target import RemoteTarget
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Hints, Labels
from tests.collector.server.prometheus.serving import when
from tests.differential.peer import prometheus

DEPTH: Labels = (("__name__", "queue.depth"), ("http.route", "/a"))
HITS: Labels = (("__name__", "shop.hits"),)


def at_hand(sink: MemorySink, oldest: float) -> OpenHistory:
    return OpenHistory(sink, sink.history, sink.described, lambda: oldest, dict, list, lambda: None)


@pytest.mark.peer
async def test_what_is_recorded_is_asked_for_without_knowing_where_it_is(tmp_path: Path) -> None:
    """Half an hour goes to the store; the last minutes are at hand as well."""
    end = int(time.time()) // 15 * 15
    times = np.arange(end - 1800, end, 5, dtype=np.int64) * 1000
    sink = MemorySink()
    with prometheus() as store:
        kept = keep_remotely(
            at_hand(sink, end - 1800.0),
            tmp_path / "queue",
            RemoteTarget(f"{store.url}/api/v1/write", store.url),
            recent=400.0,
            loop=asyncio.get_running_loop(),
            settings=RemoteSettings(batch_age=0.01),
            clock=lambda: float(end),
        )
        sending = asyncio.ensure_future(kept.send())
        refs = kept.opened.sink.intern([DEPTH, HITS], [int(Kind.GAUGE), int(Kind.COUNTER)])
        for ref in refs.tolist():
            kept.opened.sink.append(np.full(len(times), ref), times, np.arange(len(times), dtype=np.float64))
        assert kept.opened.sink.commit()
        await when(lambda: kept.opened.figures()["remote_written_total"] == 2 * len(times))

        service = QueryService(None, source=kept.source)
        answer = await service.range("rate(shop_hits[1m])", (end - 1500) * 1000, (end - 15) * 1000, 15_000)
        assert answer.matrix is not None
        assert answer.matrix.present.all()
        np.testing.assert_allclose(answer.matrix.values, 0.2, rtol=1e-9)
        assert kept.opened.figures()["remote_queries_total"] == 1
        await service.instant("queue_depth", (end - 10) * 1000)
        assert kept.opened.figures()["remote_queries_total"] == 1, "what is recent is at hand"

        chosen = [Matcher("__name__", "=", "queue.depth")]
        found = await asyncio.to_thread(kept.opened.history.select, chosen, (end - 1700) * 1000, end * 1000, Hints())
        assert found.blocks[0].labels == (DEPTH,)
        np.testing.assert_array_equal(found.blocks[0].times, times[times >= (end - 1700) * 1000])
        assert kept.opened.notes() == []

        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        service.close()
        kept.opened.close()
        await kept.close_client()


async def test_a_store_that_is_away_is_noted_and_loses_nothing(tmp_path: Path) -> None:
    now = 1_700_000_000
    target = RemoteTarget("http://127.0.0.1:1/api/v1/write", "http://127.0.0.1:1")
    sink = MemorySink()
    near, loop = at_hand(sink, now - 600.0), asyncio.get_running_loop()
    kept = keep_remotely(near, tmp_path / "queue", target, recent=300.0, loop=loop, clock=lambda: float(now))
    sending = asyncio.ensure_future(kept.send())
    refs = kept.opened.sink.intern([DEPTH], [int(Kind.GAUGE)])
    kept.opened.sink.append(refs, np.array([now * 1000 - 5000]), np.array([1.0]))
    assert kept.opened.sink.commit()
    service = QueryService(None, source=kept.source)
    recent = await service.instant("queue_depth", now * 1000)
    assert recent.matrix is not None
    assert recent.matrix.values.tolist() == [[1.0]], "a last sample of up to five minutes ago is all at hand"
    with pytest.raises(Exception, match="cannot be reached"):
        await service.instant("max_over_time(queue_depth[1h])", now * 1000)
    assert any("does not answer queries" in note for note in kept.opened.notes())
    assert kept.opened.figures()["remote_queue_samples"] == 1
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    service.close()
    kept.opened.close()
    await kept.close_client()


async def test_with_nothing_recent_at_hand_the_store_is_asked(tmp_path: Path) -> None:
    target = RemoteTarget("http://127.0.0.1:1/api/v1/write", "http://127.0.0.1:1")
    for oldest, recent in ((float("inf"), 300.0), (0.0, 0.0)):
        folder = tmp_path / str(recent)
        loop = asyncio.get_running_loop()
        kept = keep_remotely(at_hand(MemorySink(), oldest), folder, target, recent=recent, loop=loop)
        service = QueryService(None, source=kept.source)
        with pytest.raises(Exception, match="cannot be reached"):
            await service.instant("up", 1_700_000_000_000)
        service.close()
        kept.opened.close()
        await kept.close_client()
