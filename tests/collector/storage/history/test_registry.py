"""The registry finds what a slow index finds, whatever is registered, saved, removed and damaged in between."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.storage.history.database import HistoryError, open_database, transaction
from collector.storage.history.registry import RegistryBounds, SeriesRegistry
from collector.storage.history.registry_mend import mend
from monitor.model.matchers import Matcher, SelectorError
from monitor.query.history import Labels, Metadata
from monitor.query.memory_index import LabelIndex

GAUGE, COUNTER = 0, 1


class Kept:
    """A registry with the database it is in."""

    def __init__(self, path: Path, bounds: RegistryBounds | None = None) -> None:
        self.path = path
        self.connection, self.problems = open_database(path, "now")
        self.registry = SeriesRegistry(path, bounds)

    def save(self) -> None:
        with transaction(self.connection):
            self.registry.save(self.connection)
        self.registry.saved()

    def close(self) -> None:
        self.registry.close()
        self.connection.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(tmp_path / "history.sqlite3")
    yield opened
    opened.close()


def series(name: str, **tags: str) -> Labels:
    return tuple(sorted({"__name__": name, **tags}.items()))


def found(registry: SeriesRegistry, *matchers: Matcher) -> list[int]:
    refs: list[int] = registry.find(matchers).tolist()
    return refs


HOSTS = [series("cpu.load", host=f"h{n}", zone="ab"[n % 2]) for n in range(10)]


def test_a_series_keeps_its_ref_over_saves_and_restarts(kept: Kept) -> None:
    refs = kept.registry.intern(HOSTS, [GAUGE] * 10)
    assert refs.tolist() == list(range(10))
    assert kept.registry.intern(HOSTS[::-1], [GAUGE] * 10).tolist() == list(range(9, -1, -1))
    kept.save()
    assert kept.registry.intern(HOSTS, [GAUGE] * 10).tolist() == refs.tolist()
    again = SeriesRegistry(kept.path)
    assert again.intern([HOSTS[4], series("new")], [GAUGE, COUNTER]).tolist() == [4, 10]
    assert again.labels(np.array([7, 3])) == [HOSTS[7], HOSTS[3]]
    assert again.kinds(np.array([3, 10, 99])).tolist() == [GAUGE, COUNTER, 255]
    again.close()


def test_a_name_is_found_as_sent_and_as_promql_spells_it(kept: Kept) -> None:
    kept.registry.intern([*HOSTS, series("cpu_load"), series("other")], [GAUGE] * 12)
    for saved in (False, True):
        if saved:
            kept.save()
        assert found(kept.registry, Matcher("__name__", "=", "cpu.load")) == list(range(10))
        assert found(kept.registry, Matcher("__name__", "=", "cpu_load")) == list(range(11))
        assert found(kept.registry, Matcher("__name__", "!=", "cpu_load")) == [11]
        assert found(kept.registry, Matcher("__name__", "=~", "cpu_.*")) == list(range(11))


def test_names_and_values_are_those_of_the_series_asked_about(kept: Kept) -> None:
    refs = kept.registry.intern([*HOSTS, series("up", job="x")], [GAUGE] * 11)
    for _ in range(2):
        assert kept.registry.label_names(refs) == ["__name__", "host", "job", "zone"]
        assert kept.registry.label_names(refs[10:]) == ["__name__", "job"]
        assert kept.registry.label_values("zone", refs[2:3]) == ["a"]
        in_b = kept.registry.find([Matcher("zone", "=", "b")])
        assert kept.registry.label_values("host", in_b) == ["h1", "h3", "h5", "h7", "h9"]
        assert kept.registry.label_values("nothing", refs) == []
        kept.save()


def test_what_has_no_samples_any_more_is_gone_with_its_values_and_its_ref_never_comes_back(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [GAUGE] * 10)
    kept.save()
    kept.registry.remove(np.array([0, 2, 4, 6, 8]))
    for _ in range(2):
        assert found(kept.registry, Matcher("zone", "=", "a")) == []
        assert kept.registry.label_values("zone", kept.registry.find([])) == ["b"]
        kept.save()
    assert kept.connection.execute("SELECT count(*) FROM label_pairs WHERE value IN ('a', 'h0')").fetchone() == (0,)
    assert kept.registry.intern(HOSTS[:2], [GAUGE] * 2).tolist() == [10, 1]
    kept.registry.remove(np.array([10]))
    kept.save()
    kept.close()
    kept.__init__(kept.path)  # type: ignore[misc]
    assert kept.registry.intern(HOSTS[:1], [GAUGE]).tolist() == [11]


def test_a_transaction_that_failed_is_done_again(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [GAUGE] * 10)
    kept.connection.execute("BEGIN")
    kept.registry.save(kept.connection)
    kept.connection.execute("ROLLBACK")
    assert found(kept.registry) == list(range(10))
    kept.save()
    assert found(kept.registry) == list(range(10))
    assert kept.registry.unsaved == 0


def test_series_may_be_registered_while_others_are_being_saved(kept: Kept) -> None:
    kept.registry.intern(HOSTS[:5], [GAUGE] * 5)
    kept.connection.execute("BEGIN")
    kept.registry.save(kept.connection)
    kept.registry.intern(HOSTS[5:], [GAUGE] * 5)
    kept.connection.execute("COMMIT")
    assert found(kept.registry, Matcher("zone", "=", "b")) == [1, 3, 5, 7, 9]
    assert found(kept.registry, Matcher("zone", "!=", "b")) == [0, 2, 4, 6, 8]
    kept.registry.saved()
    assert kept.registry.unsaved == 5
    assert found(kept.registry, Matcher("zone", "!=", "b")) == [0, 2, 4, 6, 8]


def test_the_journal_tells_a_registry_again_what_it_lost(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [COUNTER] * 10)
    refs, kinds, labels = kept.registry.news()
    assert kept.registry.news() == ([], [], [])
    kept.close()
    kept.__init__(kept.path)  # type: ignore[misc]
    kept.registry.restore(refs, kinds, labels)
    kept.registry.restore(refs, kinds, labels)
    kept.registry.reserve(499)
    assert kept.registry.labels(np.arange(10)) == HOSTS
    assert kept.registry.intern([HOSTS[3], series("new")], [GAUGE] * 2).tolist() == [3, 500]
    assert kept.registry.news()[0] == [500]


def test_a_series_that_only_the_journal_named_gets_its_unit_when_it_is_sent_again(kept: Kept) -> None:
    cpu = series("cpu.load", host="a")
    kept.registry.restore([7], [GAUGE], [cpu])
    assert kept.registry.metadata()["cpu.load"] == Metadata("gauge", "", "")
    assert kept.registry.intern([cpu], [GAUGE], ["percent"]).tolist() == [7]
    assert kept.registry.metadata()["cpu.load"] == Metadata("gauge", "", "percent")
    kept.save()
    assert kept.registry.metadata()["cpu.load"] == Metadata("gauge", "", "percent")


def test_metrics_are_described_by_their_kind_unit_and_help(kept: Kept) -> None:
    kept.registry.intern([series("hits"), series("wait")], [COUNTER, 2], ["", "ms"])
    kept.registry.describe("hits", "", "Requests taken.")
    kept.save()
    assert kept.registry.metadata() == {
        "hits": Metadata("counter", "Requests taken.", ""),
        "wait": Metadata("histogram", "", "ms"),
    }


def test_there_is_a_bound_to_what_waits_in_memory(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "history.sqlite3", RegistryBounds(active=4, unsaved=6, known=3, cache_bytes=2000))
    assert kept.registry.intern(HOSTS, [GAUGE] * 10).tolist() == [0, 1, 2, 3, 4, 5, -1, -1, -1, -1]
    assert kept.registry.refused == 4
    kept.save()
    assert kept.registry.intern(HOSTS, [GAUGE] * 10).tolist() == list(range(10))
    kept.save()
    assert kept.registry.labels(np.arange(10)) == HOSTS
    assert found(kept.registry, Matcher("host", "=~", "h[3-5]")) == [3, 4, 5]
    assert kept.registry.figures()["active_series"] <= 10
    assert kept.registry.figures()["index_bytes"] <= 2500
    kept.close()


def test_half_a_character_in_a_label_is_kept_as_a_replacement_and_found_by_nobody(kept: Kept) -> None:
    refs = kept.registry.intern([series("m", x="\ud800")], [GAUGE])
    kept.save()
    assert kept.registry.labels(refs) == [series("m", x="?")]
    assert found(kept.registry, Matcher("x", "=", "\ud800")) == []


def test_a_pattern_that_is_none_says_so(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [GAUGE] * 10)
    kept.save()
    with pytest.raises(SelectorError):
        kept.registry.find([Matcher("host", "=~", "a(b")])


texts = st.text(st.sampled_from("ab.c\n|é_"), min_size=1, max_size=3)
many_series = st.lists(
    st.builds(lambda name, tags: series(name, **tags), texts, st.dictionaries(st.sampled_from("xyz"), texts, max_size=3)),
    max_size=40,
    unique=True,
)
patterns = st.one_of(
    st.sampled_from([".*", ".+", "", "a|b", "(a|b)", "a.*", "a.+", "[^a]*", "a?", "(?s).*", "(?i)A.*", "\\Aa"]),
    st.sampled_from(["a\\.c*", "ab*", "é.*"]),
    texts.map(lambda text: text.replace(".", "\\.").replace("|", "\\|")),
)
many_matchers = st.lists(
    st.one_of(
        st.builds(Matcher, st.sampled_from(["x", "y", "z", "w", "__name__"]), st.sampled_from(["=", "!="]), texts | st.just("")),
        st.builds(Matcher, st.sampled_from(["x", "y", "z", "w", "__name__"]), st.sampled_from(["=~", "!~"]), patterns),
    ),
    max_size=3,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many_series, many_series, st.sets(st.integers(0, 39)), st.lists(many_matchers, min_size=1, max_size=8))
def test_it_finds_what_a_slow_index_finds(
    tmp_path_factory: pytest.TempPathFactory, first: list[Labels], then: list[Labels], gone: set[int], asked: list[list[Matcher]]
) -> None:
    kept = Kept(tmp_path_factory.mktemp("registry") / "history.sqlite3")
    slow, known = LabelIndex(), {}
    for batch, save in ((first, True), (then, False)):
        for ref, labels in zip(kept.registry.intern(batch, [GAUGE] * len(batch)).tolist(), batch, strict=True):
            if ref not in known:
                slow.add(ref, labels)
                known[ref] = labels
        if save:
            kept.save()
            left = sorted(gone & known.keys())
            kept.registry.remove(np.array(left, np.int64))
            for ref in left:
                slow.remove(ref, known.pop(ref))
    for _ in range(2):
        for matchers in asked:
            refs = kept.registry.find(matchers)
            assert refs.tolist() == sorted(slow.find(matchers))
            right = [known[ref] for ref in refs.tolist()]
            assert kept.registry.labels(refs) == right
            assert kept.registry.label_names(refs) == sorted({name for each in right for name, _ in each})
            assert kept.registry.label_values("x", refs) == sorted({v for each in right for n, v in each if n == "x"})
        kept.save()
    kept.close()


def damage(kept: Kept, statement: str, *values: object) -> None:
    kept.connection.execute(statement, values)
    kept.close()
    kept.__init__(kept.path)  # type: ignore[misc]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting_lists SET data = substr(data, 1, 20)",
        "UPDATE posting_lists SET data = zeroblob(length(data))",
        "UPDATE posting_lists SET segment = segment + 1 WHERE name = 2 AND segment = 0",
        "UPDATE series_columns SET data = zeroblob(length(data))",
    ],
)
def test_damaged_lists_and_columns_are_made_anew_from_the_series(kept: Kept, statement: str) -> None:
    kept.registry.intern(HOSTS, [COUNTER] * 10)
    kept.save()
    damage(kept, statement)
    assert found(kept.registry, Matcher("zone", "=", "b")) == [1, 3, 5, 7, 9]
    assert kept.registry.kinds(np.arange(10)).tolist() == [COUNTER] * 10


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE series SET kind = 0 WHERE ref = 3",
        "UPDATE series SET hash = hash + 1 WHERE ref = 3",
        "UPDATE series SET pairs = (SELECT pairs FROM series WHERE ref = 4) WHERE ref = 3",
    ],
)
def test_a_damaged_row_gives_no_labels_rather_than_wrong_ones_and_is_mended_by_the_next_start(kept: Kept, statement: str) -> None:
    kept.registry.intern(HOSTS, [COUNTER] * 10)
    kept.save()
    kept.connection.execute(statement)
    assert kept.registry.labels(np.arange(10)) == [*HOSTS[:3], (), *HOSTS[4:]]
    assert kept.registry.damaged == 1
    with transaction(kept.connection):
        assert mend(kept.connection) == (10, 0)
    kept.registry.close()
    kept.registry = SeriesRegistry(kept.path)
    assert kept.problems == []
    assert kept.registry.labels(np.arange(10)) == HOSTS
    assert kept.registry.kinds(np.arange(10)).tolist() == [COUNTER] * 10


def test_a_row_that_was_lost_is_made_anew_from_the_lists(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [COUNTER] * 10)
    kept.save()
    damage(kept, "DELETE FROM series WHERE ref = 3")
    assert "10 series are whole" in kept.problems[0]
    assert kept.registry.labels(np.arange(10)) == HOSTS
    assert kept.registry.intern([HOSTS[3], series("new")], [COUNTER] * 2).tolist() == [3, 10]


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bits_are_mended_or_cost_the_series_they_hit(kept: Kept, seed: int) -> None:
    kept.registry.intern(HOSTS, [COUNTER] * 10)
    kept.save()
    kept.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept.close()
    data, chance = kept.path.read_bytes(), random.Random(seed)
    places = [at for at in range(len(data)) if data[at]]
    for _ in range(12):
        damaged = bytearray(data)
        damaged[chance.choice(places)] ^= 1 << chance.randrange(8)
        for left in kept.path.parent.glob("history*sqlite3*"):
            left.unlink()
        kept.path.write_bytes(damaged)
        try:
            kept.__init__(kept.path)  # type: ignore[misc]
        except HistoryError:  # of a newer version, of another program
            kept.path.write_bytes(data)
            kept.__init__(kept.path)  # type: ignore[misc]
        labels = kept.registry.labels(np.arange(10))
        told = bool(kept.problems or kept.registry.damaged)
        assert all(each in ((), HOSTS[ref]) for ref, each in enumerate(labels))
        assert told or labels == HOSTS
        assert told or found(kept.registry, Matcher("host", "=~", "h[0-4]"), Matcher("zone", "=", "b")) == [1, 3]
        assert told or kept.registry.kinds(np.arange(10)).tolist() == [COUNTER] * 10
        assert kept.registry.intern([series("new")], [GAUGE])[0] >= 10 or "0 rows were saved" in kept.problems[0]
        kept.close()


def test_refs_are_not_given_out_twice_when_the_note_of_them_is_damaged(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [GAUGE] * 10)
    kept.save()
    kept.connection.execute("INSERT INTO newest VALUES (2, x'00')")
    damage(kept, "UPDATE series_next SET ref = 1")
    assert kept.registry.intern([series("new")], [GAUGE]).tolist() == [3 * 4096]


def test_refs_far_apart_live_in_lists_of_their_own(kept: Kept) -> None:
    kept.registry.intern(HOSTS[:5], [GAUGE] * 5)
    kept.registry.reserve(200_000)
    kept.registry.intern(HOSTS[5:], [COUNTER] * 5)
    kept.save()
    refs = kept.registry.find([Matcher("zone", "=", "a")])
    assert refs.tolist() == [0, 2, 4, 200_002, 200_004]
    assert kept.registry.labels(refs) == HOSTS[::2]
    assert kept.registry.kinds(refs).tolist() == [GAUGE] * 3 + [COUNTER] * 2
    assert kept.registry.label_values("host", refs) == ["h0", "h2", "h4", "h6", "h8"]


def test_a_database_that_lost_a_page_says_so_when_it_is_opened(kept: Kept) -> None:
    kept.registry.intern([series("m", n=str(n)) for n in range(3000)], [GAUGE] * 3000)
    kept.save()
    root = kept.connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'series'").fetchone()[0]
    size = kept.connection.execute("PRAGMA page_size").fetchone()[0]
    kept.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept.close()
    with kept.path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 100)
    kept.__init__(kept.path)  # type: ignore[misc]
    assert "set aside" in kept.problems[0]
    assert isinstance(kept.connection, sqlite3.Connection)


def test_the_number_of_a_label_that_was_lost_goes_to_no_other(kept: Kept) -> None:
    kept.registry.intern(HOSTS, [GAUGE] * 10)
    kept.save()
    damage(kept, "DELETE FROM label_pairs WHERE id = (SELECT max(id) FROM label_pairs)")
    assert "1 were lost" in kept.problems[0]
    (ref,) = kept.registry.intern([series("cpu.load", host="new", zone="a")], [GAUGE]).tolist()
    kept.save()
    labels = kept.registry.labels(np.arange(ref + 1))
    assert sum(each == () for each in labels[:10]) == 1
    assert all(each in ((), HOSTS[place]) for place, each in enumerate(labels[:10]))
    assert found(kept.registry, Matcher("host", "=", "new")) == [ref]


def test_every_value_of_a_label_comes_back_as_it_was_given(kept: Kept) -> None:
    odd = ["\\", '"', "\n\t\x01", "€ 漢字 🚢", "null", "a\x7fb"]
    values = sorted({*odd, *(f"v{number}" for number in range(2500))})
    kept.registry.intern([(("__name__", "m"), ("l", value)) for value in values], [0] * len(values))
    assert kept.registry.label_values("l", kept.registry.find([])) == values
    kept.save()
    assert kept.registry.label_values("l", kept.registry.find([])) == values
