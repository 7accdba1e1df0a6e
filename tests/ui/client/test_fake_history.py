"""The collector in memory answers queries truthfully, and files are written new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitor.wire import messages as m
from ui.client.fake import FakeCollector
from ui.client.files import tilde, write_new
from ui.client.line import Answer
from ui.client.mirror import Mirror


def answer(fake: FakeCollector, text: str, step: float = 0.0, back: float = 600.0) -> m.QueryResult:
    found = fake.answer_to(m.Query(1, text, fake.now - back, fake.now, step))
    assert isinstance(found, m.QueryResult), found
    return found


@pytest.fixture
def fake() -> FakeCollector:
    made = FakeCollector()
    made.gauge("depth", lambda times: times % 60, {"queue": "a"})
    made.counter("hits", lambda times: np.full(len(times), 7.0), {"service": "cart"})
    made.distribution("latency", lambda times: np.full(len(times), 20.0), lambda times: np.full(len(times), 5.0), unit="ms")
    return made


def test_gauges_are_their_readings_and_counters_grow_by_their_increments(fake: FakeCollector) -> None:
    found = answer(fake, "depth", 10.0)
    assert np.array_equal(np.asarray(found.values), (np.asarray(found.times) - 1) % 60)
    assert np.asarray(answer(fake, "rate(hits[1m])").values) == pytest.approx([7.0])
    assert np.asarray(answer(fake, "increase(hits[5m])").values) == pytest.approx([2100.0])


def test_distributions_are_cumulative_histograms(fake: FakeCollector) -> None:
    assert np.asarray(answer(fake, "histogram_count(rate(latency[1m]))").values) == pytest.approx([5.0])
    assert np.asarray(answer(fake, "histogram_quantile(0.5, rate(latency[5m]))").values) == pytest.approx([20.0], rel=0.05)
    (cell,) = answer(fake, "rate(latency[1m])").histograms
    assert float(np.asarray(cell.counts).sum()) == pytest.approx(5.0)
    ranged = answer(fake, "rate(latency[1m])", 10.0)
    assert len(ranged.labels) == 1
    assert not np.isfinite(np.asarray(ranged.values)).any()
    assert ranged.histograms == ()


def test_errors_say_where_they_are(fake: FakeCollector) -> None:
    found = fake.answer_to(m.Query(1, "rate(hits)", 0.0, fake.now))
    assert isinstance(found, m.Reply)
    assert (found.result["line"], found.result["column"], found.result["end"]) == (1, 6, 10)


def test_names_labels_and_values_are_found(fake: FakeCollector) -> None:
    def names(**wanted: str) -> list[str]:
        found = fake.answer_to(m.Find(1, **wanted))  # type: ignore[arg-type]
        assert isinstance(found, m.Reply)
        return [row["name"] for row in found.result["found"]]

    assert names(what="metrics", text="h") == ["hits", "depth"]
    assert names(what="labels", selector="hits") == ["service"]
    assert names(what="values", label="queue") == ["a"]


def test_the_answer_comes_over_the_line_to_who_asked(fake: FakeCollector) -> None:
    mirror = Mirror()
    got: list[Answer] = []
    fake.start()
    fake.pump(mirror)
    fake.submit(m.Query(0, "depth", fake.now, fake.now), got.append)
    assert fake.pump(mirror) == {"reply"}
    assert isinstance(got[0], m.QueryResult)


def test_a_file_is_never_written_over_another(tmp_path: Path) -> None:
    first = write_new(tmp_path / "new", "a.csv", b"1")
    second = write_new(tmp_path / "new", "a.csv", b"2")
    assert (first.name, second.name) == ("a.csv", "a-2.csv")
    assert first.read_bytes() == b"1"
    assert tilde(Path.home() / "x" / "y.csv") == "~/x/y.csv"
    assert tilde(Path("/elsewhere/y.csv")) == "/elsewhere/y.csv"
