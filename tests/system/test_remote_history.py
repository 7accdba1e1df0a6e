"""A collector that keeps its history in a store of others: it looks the same, and the store has everything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.stores import Store, victoria_metrics
from tests.running import Collector, until

pytestmark = pytest.mark.peer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "victoria").mkdir()
    one = victoria_metrics(tmp_path / "victoria")
    one.start()
    try:
        yield one
    finally:
        one.stop()


def config(store: Store, more: str = "") -> str:
    return f'history = "remote"\nremote_write = "{store.write_url}"\nremote_query = "{store.url}"\n{more}'


def value(one: Collector, expr: str) -> float | None:
    done = one.run("query", expr, "--json", check=False)
    if done.returncode not in (0, 5):
        raise AssertionError(done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout or '{"series": []}')["series"]
    return found[0]["values"][0] if found else None


def stored(store: Store, expr: str) -> float:
    found = store.ask(expr, round(time.time() * 1000))
    return sum(found.values())


def test_what_is_sent_is_in_the_store_and_answered_from_here(store: Store, tmp_path: Path) -> None:
    one = Collector(tmp_path / "collector", config(store, 'remote_token = "s3cret"\n'))
    one.start()
    try:
        one.send("shop.queue:7|g|#shard:a", "shop.hits:3|c")
        until(lambda: value(one, 'shop_queue{shard="a"}') == 7.0, "the recent part is answered from what is at hand")
        until(lambda: stored(store, 'shop_queue{shard="a"}') == 7.0, "the store has it", 60)
        assert stored(store, "shop_hits") == 3.0
        assert value(one, "count(shop_queue) + sum(shop_hits)") == 4.0
        shown = one.run("config", "show", "--config", str(one.config)).stdout
        assert "s3cret" not in shown + one.log()
    finally:
        one.stop()


def test_while_the_store_is_away_nothing_is_lost(store: Store, tmp_path: Path) -> None:
    one = Collector(tmp_path / "collector", config(store))
    one.start()
    try:
        one.send("shop.queue:7|g")
        until(lambda: stored(store, "shop_queue") == 7.0, "the store has the first", 60)
        store.stop()
        one.send("shop.queue:9|g")
        until(lambda: value(one, "last_over_time(shop_queue[3s])") == 9.0, "what is at hand throughout is still answered")
        until(lambda: "takes no samples" in one.run("status").stdout, "status says what is wrong")
        one.kill()
        one.start()
        store.start()
        until(lambda: stored(store, "max_over_time(shop_queue[10m])") == 9.0, "what waited is sent after the restart", 60)
    finally:
        one.stop()


def test_without_an_address_it_says_what_is_missing(tmp_path: Path) -> None:
    one = Collector(tmp_path, 'history = "remote"\n')
    with pytest.raises(AssertionError, match="needs remote_write and remote_query"):
        one.start()
