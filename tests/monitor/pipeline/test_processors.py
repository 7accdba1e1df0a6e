"""Steps over series: what becomes of names and tags, once a series, and what a sample then costs."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from monitor.engine import Engine
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy
from monitor.pipeline.processors import Processors
from monitor.pipeline.steps import StepError, read_steps


def spaced(*series: tuple[str, dict[str, str]], kind: Kind = Kind.COUNTER) -> KeySpace:
    space = KeySpace()
    for name, tags in series:
        space.add(series_key(name, tags.items()), kind, "ms")
    return space


def batch_of(space: KeySpace, *ids: int) -> Batch:
    return Batch(space, np.array(ids, np.int32), np.arange(1.0, len(ids) + 1), np.full(len(ids), 50.0))


def labels(processors: Processors, space: KeySpace) -> list[str]:
    target = processors.target(space)
    return [target.keys[number].label() if number >= 0 else "dropped" for number in processors.space(space).tolist()]


def test_with_nothing_to_do_a_batch_comes_back_as_it_is() -> None:
    space = spaced(("a", {}))
    batch = batch_of(space, 0)
    processors = Processors((), PiiFilter({}))
    assert processors.batch(batch) is batch
    assert processors.target(space) is space
    assert processors.space(space).tolist() == [0]


def test_steps_are_done_in_their_order() -> None:
    steps = read_steps(
        [
            {"add": {"env": "prod", "host": "none"}},
            {"rename": {"host": "node"}},
            {"set": {"team": "shop"}, "where": '{node="web1"}'},
            {"remove": ["pod_uid"]},
            {"drop": '{node="old"}'},
            {"drop": '{__name__=~"debug_.*"}'},
        ]
    )
    space = spaced(("a", {"host": "web1", "pod_uid": "x"}), ("a", {"env": "test"}), ("a", {"host": "old"}), ("debug_x", {}))
    assert labels(Processors(steps), space) == [
        'a{env="prod",node="web1",team="shop"}',
        'a{env="test",node="none"}',
        "dropped",
        "dropped",
    ]


def test_a_series_is_processed_once_and_new_ones_when_they_come() -> None:
    space = spaced(("a", {"mail": "bob@example.com"}))
    pii = PiiFilter({PiiKind.EMAIL: PiiPolicy.REDACT})
    processors = Processors((), pii)
    for _ in range(3):
        batch = processors.batch(batch_of(space, 0, 0))
        assert batch is not None
        assert batch.space.keys[0].label() == 'a{mail="[email]"}'
    assert pii.counts[PiiKind.EMAIL] == 1
    space.add(series_key("b", [("mail", "eve@example.com")]), Kind.GAUGE)
    assert labels(processors, space) == ['a{mail="[email]"}', 'b{mail="[email]"}']


def test_what_is_to_be_dropped_takes_the_tag_or_the_series_name() -> None:
    processors = Processors((), PiiFilter({PiiKind.EMAIL: PiiPolicy.DROP}))
    space = spaced(("a", {"mail": "bob@example.com", "x": "1"}), ("logins.bob@example.com", {}))
    assert labels(processors, space) == ['a{x="1"}', "dropped"]


def test_dropped_series_leave_a_batch_with_all_its_columns() -> None:
    processors = Processors(read_steps([{"drop": "b"}]))
    space = spaced(("a", {}), ("b", {}), ("c", {}))
    ids = np.array([0, 1, 2, 1], np.int32)
    relative = np.array([True, False, False, True])
    batch = processors.batch(Batch(space, ids, np.arange(4.0), np.arange(4.0), np.arange(4.0), relative, raw=True))
    assert batch is not None
    assert (batch.values.tolist(), batch.times.tolist(), batch.raw) == ([0, 2], [0, 2], True)
    assert batch.weights is not None
    assert batch.weights.tolist() == [0, 2]
    assert batch.relative is not None
    assert batch.relative.tolist() == [True, False]
    assert processors.batch(batch_of(space, 1, 1)) is None
    assert processors.dropped_samples == 4


def test_histograms_of_dropped_series_go_with_their_bins() -> None:
    processors = Processors(read_steps([{"drop": "b"}]))
    space = spaced(("a", {}), ("b", {}), kind=Kind.DISTRIBUTION)
    offsets, bins = np.array([0, 2, 3, 5]), np.array([1, 2, 3, 4, 5], np.int32)
    came = HistogramBatch(space, np.array([0, 1, 0], np.int32), np.arange(3.0), offsets, bins, np.ones(5), np.arange(3.0))
    (left,) = processors.batches([came, batch_of(space, 1)])
    assert isinstance(left, HistogramBatch)
    assert (left.offsets.tolist(), left.bins.tolist(), left.sums.tolist()) == ([0, 2, 4], [1, 2, 4, 5], [0, 2])


def test_series_that_become_equal_add_up_in_the_engine() -> None:
    processors, engine = Processors(read_steps([{"remove": "pod"}])), Engine()
    space = spaced(("hits", {"pod": "1"}), ("hits", {"pod": "2"}))
    batch = processors.batch(batch_of(space, 0, 1))
    assert batch is not None
    engine.ingest(batch)
    engine.tick(51)
    assert len(engine.table) == 1


def test_a_series_that_gets_too_many_tags_is_left_out_and_counted() -> None:
    processors = Processors(read_steps([{"add": {f"t{number}": "x" for number in range(40)}}]))
    assert labels(processors, spaced(("a", {}))) == ["dropped"]
    assert processors.figures()["processors_too_long_total"] == 1
    assert "1 series were left out" in processors.notes()[0]


def test_a_key_space_that_nobody_holds_is_forgotten() -> None:
    processors = Processors(read_steps([{"add": {"a": "b"}}]))
    space = spaced(("a", {}))
    processors.space(space)
    gone = weakref.ref(space)
    del space
    gc.collect()
    assert gone() is None
    assert len(processors._spaces) == 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"paint": "red"}, "step 1: a step has one of add, set"),
        ({"add": {"a": "b"}, "set": {"a": "b"}}, "step 1: a step has one of"),
        ({"add": {}}, "step 1: add is a table"),
        ({"add": {"a": 1}}, "names and values are texts"),
        ({"remove": 3}, "step 1: remove is a list"),
        ({"drop": "{"}, "step 1: drop: the { is never closed"),
        ({"drop": "{}"}, "step 1: drop is a selector"),
        ({"drop": "a", "where": "b"}, "leave out where"),
        ({"set": {"a": "b"}, "where": 7}, "step 1: where is a selector"),
    ],
)
def test_a_step_that_cannot_be_read_is_refused_with_its_number(entry: dict[str, object], message: str) -> None:
    with pytest.raises(StepError, match=message):
        read_steps([entry])
