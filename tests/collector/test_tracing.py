"""All spans are counted; what is stored and exported is what sampling keeps; what was not kept safely is not counted yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.admission import Admission
from collector.exporters.build import Exports
from collector.exporters.exporter import TakesNothing
from collector.receivers.accept import NotAcceptedError
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from collector.storage.traces import TraceSearch
from collector.tracing import Tracing
from monitor.engine import Engine
from monitor.model.spans import Spans, joined_spans
from monitor.settings.load import load_settings
from monitor.topology.span_metrics import CALLS
from tests.monitor.pipeline.made import made_spans


class Elsewhere(TakesNothing):
    """An export that keeps what it is handed."""

    name = "elsewhere"

    def __init__(self) -> None:
        self.got: list[Spans] = []

    def spans(self, spans: Spans) -> None:
        self.got.append(spans)

    async def run(self) -> None:
        """Nothing to send."""

    def close(self) -> None:
        """Nothing to close."""

    def figures(self) -> dict[str, float]:
        return {}

    def notes(self) -> list[str]:
        return []


class House:
    def __init__(self, folder: Path, text: str) -> None:
        self.elsewhere = Elsewhere()
        self.tracing = Tracing(load_settings(text, "x.toml", {}), folder, Exports([self.elsewhere]))
        recorder = Recorder(Engine(), MemorySink())
        intake = self.tracing.intake
        self.accept = Admission(recorder, lambda batches: True, intake.committed, intake, lambda events: None)

    def calls(self) -> float:
        return sum(
            float(batch.values[batch.ids == number].sum())
            for batch in self.tracing.tick(1_700_000_001.0)
            for number in range(len(batch.space))
            if batch.space.keys[number].name == CALLS
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, "trace_share = 0.25\n")
    yield house
    house.tracing.close()


TRACES = np.random.default_rng(11).integers(1, 2**62, 200).tolist()


async def test_all_are_counted_and_a_quarter_is_stored_and_exported(house: House) -> None:
    await house.accept.spans(made_spans([(trace, service, "op") for trace in TRACES for service in ("web", "shop")]))
    exported = joined_spans(house.elsewhere.got)
    stored = {found.trace for found in house.tracing.store.search(TraceSearch(limit=1000))}
    assert house.calls() == 400
    assert 25 <= len(stored) <= 80
    assert {f"{7:016x}{trace:016x}" for trace in exported.traces[:, 1].tolist()} == stored
    assert {exported.texts[state] for state in exported.states.tolist()} == {"ot=th:c"}
    assert len(exported) == 2 * len(stored)


async def test_what_the_disk_refused_is_counted_when_it_comes_again_and_not_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = made_spans([(trace, "web", "op") for trace in TRACES])
    with monkeypatch.context() as patched:
        patched.setattr(house.tracing.store, "commit", lambda: False)
        with pytest.raises(NotAcceptedError):
            await house.accept.spans(spans)
    assert house.calls() == 0
    await house.accept.spans(spans)
    assert house.calls() == 200
