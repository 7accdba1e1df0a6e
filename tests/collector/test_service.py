"""The service survives what goes wrong around it: parts that fail, disks that refuse, clocks that jump."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collector.service import Service
from collector.storage.journal import Journal
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.settings.load import load_settings

RULE = """[[rule]]
id = "deep"
metric = "depth"
condition = { type = "threshold", operator = "gt", value = 5, window = "1m" }
"""


def service_in(folder: Path, **flags: Any) -> Service:
    off = dict.fromkeys(("statsd", "otlp_grpc", "otlp_http", "datadog"), "off")  # another program may have their ports
    given = {"http": "127.0.0.1:0", "stream": "127.0.0.1:0", "data": str(folder / "data"), **off, **flags}
    return Service(load_settings('host = false\nname = "test"', "test.toml", {}, given))


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """Started and ready; stopped at the end, when nothing may have escaped from it."""
    ready = asyncio.Event()
    task = asyncio.create_task(service.run(lambda *_: ready.set()))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    try:
        yield service
    finally:
        service.stop()
        await asyncio.wait_for(task, 10)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.01)


def sample(name: str, value: float, at: float) -> Batch:
    space = KeySpace()
    number = space.add(series_key(name), Kind.GAUGE)
    return Batch(space, np.array([number], np.int32), np.array([value]), np.array([at]))


def value_of(service: Service, name: str) -> float | None:
    row = service.engine.table.find(series_key(name))
    return None if row is None else float(service.engine.column("last", 60, np.array([row], np.int32))[0])


def fail(*_: object) -> Any:
    raise RuntimeError("told to")


@pytest.mark.parametrize(
    "part",
    [
        "receivers.collect",
        "health.batches",
        "journal.append",
        "desk.judge",
        "stream.publish_tick",
        "publish",
        "health.gather",
    ],
)
async def test_a_part_that_fails_is_told_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    async with running(service_in(tmp_path)) as service:
        owner, _, name = ("service." + part).rpartition(".")
        monkeypatch.setattr(eval(owner), name, fail)
        now = service.engine.now + 2
        service.take([sample("depth", 7.0, now - 0.5)])
        service.tick(now)
        service.tick(now + 1)
        assert value_of(service, "depth") == 7.0
        assert service._own_figures()["tick_failures_total"] >= 2
        assert any("told to" in note for note in service._notes())
        assert sum("everything else goes on" in record.message for record in caplog.records) == 1
        monkeypatch.undo()
        service.tick(now + 2)
        assert service._notes() == []


async def test_an_engine_that_fails_once_goes_on_with_the_next_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(service_in(tmp_path)) as service:
        now = service.engine.now + 2
        monkeypatch.setattr(service.engine, "tick", fail)
        service.tick(now)
        assert any("Computing the windows" in note for note in service.health.notes)
        monkeypatch.undo()
        service.take([sample("depth", 3.0, now + 0.5)])
        service.tick(now + 1)
        assert value_of(service, "depth") == 3.0


async def test_ticks_go_on_by_themselves_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(service_in(tmp_path)) as service:
        monkeypatch.setattr(service.desk, "judge", fail)
        await until(lambda: service._own_figures()["tick_failures_total"] >= 1)
        seen = service.engine.counters.ticks
        await until(lambda: service.engine.counters.ticks > seen)


async def test_a_batch_that_cannot_be_taken_in_spoils_no_other(tmp_path: Path) -> None:
    async with running(service_in(tmp_path)) as service:
        now = service.engine.now + 2
        broken: Any = (None,)  # one sample, as far as can be counted
        service.take([broken])
        service.take([sample("depth", 1.0, now - 0.5)])
        service.tick(now)
        assert value_of(service, "depth") == 1.0


async def test_a_clock_set_back_far_begins_everything_anew_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "depth.toml").write_text(RULE)
    real, offset = time.time, [0.0]
    async with running(service_in(tmp_path, rules=str(rules))) as service:
        engine = service.engine
        service.take([sample("depth", 7.0, time.time())])
        await until(lambda: any(alert.state == "firing" for alert in service.desk.book.alerts.values()))
        offset[0] = -3600.0
        monkeypatch.setattr(time, "time", lambda: real() + offset[0])
        await until(lambda: service.engine is not engine and service.engine.counters.ticks > 1)
        assert abs(service.engine.now - time.time()) < 10
        service.take([sample("depth", 8.0, time.time())])
        await until(lambda: value_of(service, "depth") == 8.0)
        (alert,) = service.desk.book.alerts.values()
        assert alert.state == "firing"
        assert any("The clock was set back by 1 h" in event.text for event in service.desk.events_since(0))


async def test_a_clock_set_forward_or_back_a_little_is_waited_out(tmp_path: Path) -> None:
    async with running(service_in(tmp_path)) as service:
        now = service.engine.now + 2
        for moment in (now, now + 3600, now + 3600 - 30, now + 3601):
            service.tick(moment)
        assert service.engine.now == np.floor(now + 3601)
        assert service._notes() == []


async def test_a_journal_that_cannot_be_replayed_costs_the_windows_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(service_in(tmp_path)) as service:
        await until(lambda: service.engine.counters.ticks > 0)
    monkeypatch.setattr("monitor.engine.Engine.replay", fail)
    async with running(service_in(tmp_path)) as service:
        monkeypatch.undo()
        await until(lambda: service.engine.counters.ticks > 0)
        assert service.restored_seconds == 0.0


async def test_a_full_disk_is_told_and_the_collector_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with running(service_in(tmp_path)) as service:
        monkeypatch.setattr(Journal, "_write_all", full)
        now = service.engine.now + 2
        service.tick(now)
        service.health.gather()
        assert any("No space left on device" in note for note in service.health.notes)
        assert service.health.values["journal_failing"] == 1.0


async def test_rule_files_that_vanish_while_it_runs_leave_the_rules_in_force(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "depth.toml").write_text(RULE)
    async with running(service_in(tmp_path, rules=str(rules))) as service:
        rules.rename(tmp_path / "elsewhere")
        service.tick(service.engine.now + 2)
        assert [rule.id for rule in service.rules.rules] == ["deep"]
        assert any("cannot be read" in note for note in service.desk.notes())


async def test_one_that_is_stopped_before_it_is_ready_ends_cleanly(tmp_path: Path) -> None:
    service = service_in(tmp_path)
    service.stop()
    await asyncio.wait_for(service.run(), 10)
    assert service.engine.counters.ticks == 0


@pytest.mark.parametrize("place", ["file", "file/below"])
async def test_a_data_folder_that_cannot_be_used_is_named_with_a_way_out(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"The data folder .* cannot be used: .* Choose another with --data DIR\."):
        await service_in(tmp_path, data=str(tmp_path / place)).run()


async def test_state_of_a_newer_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with running(service_in(tmp_path)) as service:
        service.state._connection.execute("PRAGMA user_version=99")
    with pytest.raises(OSError, match="written by a newer Lightship"):
        await service_in(tmp_path).run()


@pytest.mark.parametrize(("statsd", "warned"), [("off", False), ("127.0.0.1:0", False), ("0.0.0.0:0", True)])
async def test_whoever_listens_beyond_this_machine_is_warned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, statsd: str, warned: bool
) -> None:
    with caplog.at_level(logging.WARNING, "lightship"):
        async with running(service_in(tmp_path, statsd=statsd)):
            pass
    assert [f"statsd {statsd} can be reached" in record.getMessage() for record in caplog.records] == [True] * warned
