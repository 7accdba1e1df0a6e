"""Exemplars on their way to a remote store: as Prometheus writes them, tried again, bounded, and only of selected series."""

from __future__ import annotations

import cramjam
import pytest
from aiohttp import web

from collector.exporters import exemplar_writes
from collector.exporters.exemplar_writes import ExemplarWrites
from collector.exporters.exporter import Patience
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.receivers.remote_write.negotiation import Version
from collector.storage.remote.target import RemoteTarget
from monitor.model.exemplar_table import ExemplarTable
from monitor.model.matchers import parse_selector
from tests.collector.receivers.remote_write.recording import Recording
from tests.collector.receivers.remote_write.test_exemplars import told
from tests.collector.test_exemplars import NOW, batch
from tests.collector.waits import running, until

QUICK = Patience(least=0.01, longest=0.02)


def writes(url: str = "http://127.0.0.1:1/w", selector: str = '{job="x"}') -> ExemplarWrites:
    target = RemoteTarget(url, url)
    return ExemplarWrites(target, parse_selector(selector), {"from": "near"}, spelled=True, patience=QUICK, age=0.01)


def keep(one: ExemplarWrites, *names: str, job: str = "x") -> None:
    table = ExemplarTable(100)
    table.add([batch(*((name, 1.5) for name in names), labels=(("who", "mira"),), job=job)], NOW)
    assert table.fresh is not None
    one.take(table.fresh)


class Store:
    """Answers with each of `statuses` in turn, then with the last; keeps what it took."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.found: list[str] = []
        self.asked = 0
        self.receiver = RemoteWriteReceiver(Recording(), lambda: NOW, exemplars=lambda found: None)

    async def answer(self, request: web.Request) -> web.Response:
        body = bytes(cramjam.snappy.decompress_raw(await request.read()))
        self.asked += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 204:
            self.found += [name for name, *_ in told(self.receiver.take(body, Version.V1).exemplars)]
        return web.Response(status=status)


async def sent(store: Store, *names: str) -> ExemplarWrites:
    """Sends exemplars of these series until all are with the store, or refused."""
    app = web.Application()
    app.router.add_post("/w", store.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one = writes(f"http://127.0.0.1:{runner.addresses[0][1]}/w")
    keep(one, *names)
    async with running(one.run()):
        await until(lambda: one.sent + one.refused >= len(names))
    await runner.cleanup()
    return one


async def test_they_arrive_with_the_labels_of_the_export_and_old_names() -> None:
    store = Store(204)
    await sent(store, "shop.orders", "b")
    assert sorted(store.found) == ['b{from="near",job="x"}', 'shop_orders{from="near",job="x"}']


async def test_what_the_store_cannot_take_now_is_sent_again() -> None:
    store = Store(503, 503, 204)
    one = await sent(store, "a")
    assert (store.asked, one.sent, len(store.found)) == (3, 1, 1)


async def test_what_it_refuses_for_good_is_counted() -> None:
    one = await sent(Store(400), "a")
    assert one.figures() == {"export_exemplars_sent_total": 0.0, "export_exemplars_dropped_total": 1.0}


def test_only_selected_series_are_taken_and_the_oldest_go_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemplar_writes, "WAITING", 2)
    one = writes()
    keep(one, "a", job="y")
    keep(one, "a", "b", "c")
    assert one.dropped == 1
    assert len(one._waiting) == 2
