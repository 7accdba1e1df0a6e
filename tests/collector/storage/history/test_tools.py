"""Backup, check, export, import and delete, as the command line gives them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.__main__ import main
from collector.folders import FolderLock
from collector.protobuf.columns import SeriesColumns
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from collector.storage.history.tools import read
from collector.storage.history.tools.backup import back_up, restore
from collector.storage.history.tools.check import check
from collector.storage.history.tools.export import guarded
from collector.storage.history.tools.folder import ToolError
from collector.storage.history.tools.prometheus import PrometheusImport
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import STALE, Hints, Labels
from tests.differential.peer import Peer, prometheus

START = 1_764_000_000_000
EVERY = '{__name__!=""}'
Output = pytest.CaptureFixture[str]
ALL = (Matcher("__name__", "!=", ""),)


def series(name: str, **tags: str) -> Labels:
    return tuple(sorted({"__name__": name, **tags}.items()))


def store_in(data: Path) -> HistoryStore:
    settings = HistorySettings(keep=(1e9, 1e9, 1e9, 1e9), out_of_order=1e9)
    return HistoryStore(data / "history", settings, clock=lambda: START / 1000 + 86_400)


def fill(store: HistoryStore, count: int = 100, first: int = 0) -> None:
    refs = store.intern([series("load", host=f"h{n}") for n in range(5)], [Kind.GAUGE] * 5)
    times = START + np.arange(first, first + count) * 1000
    store.append(
        np.repeat(refs, count),
        np.tile(times, 5),
        np.repeat(np.arange(5.0), count) * 1000 + np.tile(np.arange(first, first + count), 5),
    )
    assert store.commit()


def samples(store: HistoryStore) -> dict[Labels, dict[int, float]]:
    found: dict[Labels, dict[int, float]] = {}
    for block in store.select(ALL, 0, 1 << 50, Hints(range=1)).blocks:
        for row, labels in enumerate(block.labels):
            held = np.ones(len(block.times), bool) if block.present is None else block.present[row]
            found[labels] = dict(zip(block.times[held].tolist(), block.values[row][held].tolist(), strict=True))
    return found


def kept(data: Path) -> dict[Labels, dict[int, float]]:
    store = store_in(data)
    found = samples(store)
    store.close()
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store = store_in(tmp_path / "data")
    fill(store)
    store.fold()
    fill(store, 20, 100)
    store.close()
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples here are as old as these lines."""
    for setting in ("RAW", "10S", "1M", "1H"):
        monkeypatch.setenv(f"LIGHTSHIP_HISTORY_{setting}", "36500d")


def run(capfd: Output, *arguments: object) -> tuple[int, str, str]:
    code = main(["history", *map(str, arguments)])
    said = capfd.readouterr()
    return code, said.out, said.err


# Backup


def test_a_backup_of_a_history_that_is_written_to_holds_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    fill(store, 10)
    acknowledged, stop = [10], threading.Event()

    def write() -> None:
        while not stop.is_set():
            fill(store, 10, acknowledged[0])
            acknowledged[0] += 10
            if acknowledged[0] % 70 == 0:
                store.fold()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(6):
            before = acknowledged[0]
            back_up(tmp_path / "data" / "history", tmp_path / f"copy{number}" / "history")
            assert check(tmp_path / f"copy{number}" / "history").whole
            found = kept(tmp_path / f"copy{number}")
            assert len(found) == 5
            for labels, values in found.items():
                host = int(dict(labels)["host"][1:])
                assert len(values) >= before
                assert all(value == host * 1000 + (time - START) // 1000 for time, value in values.items())
    finally:
        stop.set()
        writer.join()
        store.close()


def test_a_backup_is_put_back_and_the_history_before_it_set_aside(data: Path, tmp_path: Path, capfd: Output) -> None:
    before = kept(data)
    assert run(capfd, "backup", tmp_path / "copy", "--data", data)[0] == 0
    assert run(capfd, "delete", "--match", EVERY, "--yes", "--data", data)[0] == 0
    assert kept(data) == {}
    code, out, _ = run(capfd, "restore", tmp_path / "copy", "--data", data)
    assert (code, "history-before-1" in out) == (0, True)
    assert kept(data) == before
    assert restore(tmp_path / "copy", tmp_path / "fresh" / "history") is None
    assert kept(tmp_path / "fresh") == before


def test_a_backup_never_writes_over_anything_and_leaves_nothing_half_done(data: Path, tmp_path: Path, capfd: Output) -> None:
    code, _, err = run(capfd, "backup", data, "--data", data)
    assert (code, "exists already" in err) == (1, True)
    code, _, err = run(capfd, "backup", tmp_path / "copy", "--data", tmp_path / "nowhere")
    assert (code, "There is no history" in err) == (1, True)
    (data / "history" / "history.sqlite3").write_bytes(b"no database" * 1000)
    assert run(capfd, "backup", tmp_path / "copy", "--data", data)[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# Check


def test_a_whole_history_is_found_whole_and_told_in_figures(data: Path, capfd: Output) -> None:
    code, out, _ = run(capfd, "check", "--json", "--data", data)
    assert code == 0
    figures = json.loads(out)
    assert figures.pop("chunks") > 0
    assert figures == {"samples": 500, "series": 5, "records": 1, "problems": [], "more_problems": 0}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE chunks SET data = zeroblob(length(data))", "checksum"),
        ("UPDATE chunks SET bucket = 7", "row of a chunk is damaged"),
        ("DELETE FROM chunks", "missing"),
        ("UPDATE times SET data = zeroblob(length(data))", "damaged"),
        ("UPDATE newest SET data = zeroblob(length(data))", "newest times"),
        ("UPDATE series SET kind = 1 WHERE ref = 3", "1 series in the registry"),
        ("DELETE FROM posting_lists", "lists"),
        ("DELETE FROM series WHERE ref = 3", "have no name"),
    ],
)
def test_damage_is_told_and_mended(data: Path, capfd: Output, statement: str, said: str) -> None:
    before = kept(data)
    connection = sqlite3.connect(data / "history" / "history.sqlite3")
    connection.execute(statement)
    connection.commit()
    connection.close()
    code, out, _ = run(capfd, "check", "--data", data)
    assert (code, said in out) == (3, True), out
    code, out, _ = run(capfd, "check", "--repair", "--data", data)
    assert code == 0, out
    after = kept(data)
    for labels, values in after.items():
        assert values.items() <= before[labels].items()
    if "chunks" not in statement and "times" not in statement:
        assert after == before


def test_a_damaged_journal_is_told(data: Path, capfd: Output) -> None:
    (segment,) = (data / "history" / "fresh").glob("*.journal")
    damaged = bytearray(segment.read_bytes())
    damaged[-3] ^= 4
    segment.write_bytes(damaged)
    code, out, _ = run(capfd, "check", "--data", data)
    assert (code, "does not match its checksum" in out) == (3, True)
    assert run(capfd, "check", "--repair", "--data", data)[0] == 0
    assert len(kept(data)[series("load", host="h3")]) == 100


# Export and import


def test_csv_has_a_row_a_sample_and_no_cell_that_a_spreadsheet_runs(data: Path, capfd: Output) -> None:
    store = store_in(data)
    refs = store.intern([series("=cmd|'/c calc'!A1", host="@evil", note='a "b"\n,')], [Kind.GAUGE])
    store.append(np.repeat(refs, 3), START + np.arange(3), np.array([-1.5, np.inf, STALE]))
    store.close()
    code, out, _ = run(capfd, "export", "--match", EVERY, "--data", data)
    rows = list(csv.reader(io.StringIO(out, newline="")))
    assert code == 0
    assert rows[0] == ["time", "name", "host", "note", "value", "histogram"]
    assert rows[1] == ["2025-11-24T16:00:00.000Z", "'=cmd|'/c calc'!A1", "'@evil", 'a "b"\n,', "-1.5", ""]
    assert rows[2][4] == "+Inf"
    assert len(rows) == 1 + 2 + 600
    assert rows[3] == ["2025-11-24T16:00:00.000Z", "load", "h0", "", "0", ""]
    assert guarded("+1") == "'+1"


def test_a_span_is_exported_in_pieces_that_fit_into_memory(
    data: Path, tmp_path: Path, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("export", "--match", "load", "--start", START // 1000 + 10, "--end", START // 1000 + 110, "--data", data)
    whole = run(capfd, *arguments)[1]
    assert whole.count("\n") == 1 + 5 * 101
    monkeypatch.setattr(read, "MOST_SAMPLES", 30)
    assert run(capfd, *arguments)[1] == whole
    assert run(capfd, *arguments, "-o", tmp_path / "some.csv")[:2] == (0, f"505 samples written to {tmp_path}/some.csv.\n")
    assert (tmp_path / "some.csv").read_bytes().decode() == whole
    assert run(capfd, *arguments, "-o", tmp_path / "some.csv")[0] == 1


def test_what_is_exported_as_openmetrics_is_imported_as_it_was(data: Path, tmp_path: Path, capfd: Output) -> None:
    store = store_in(data)
    refs = store.intern([series("hits_total", path='/a"\\\n'), series("up", job="x")], [Kind.COUNTER, Kind.GAUGE])
    store.append(
        np.repeat(refs, 3), np.tile(START + np.array([0, 1500, 3001]), 2), np.array([1.0, 2.5, 1e300, np.nan, -np.inf, 0.1])
    )
    store.close()
    file = tmp_path / "all.om"
    assert run(capfd, "export", "--match", EVERY, "--format", "openmetrics", "-o", file, "--data", data)[0] == 0
    (tmp_path / "all.om.gz").write_bytes(gzip.compress(file.read_bytes()))
    for name in ("all.om", "all.om.gz"):
        code, out, _ = run(capfd, "import", "openmetrics", tmp_path / name, "--data", tmp_path / name[-3:])
        assert (code, out) == (0, "606 samples of 7 series were taken in.\n")
        assert repr(sorted(kept(tmp_path / name[-3:]).items())) == repr(sorted(kept(data).items()))
    store = store_in(tmp_path / ".om")
    assert store.kinds(store.intern([series("hits_total", path='/a"\\\n')], [Kind.GAUGE])).tolist() == [Kind.COUNTER]
    store.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1 10\nb {\n# EOF\n", "before line 4: 'b ': not a value"),
        ("a 1 10\na 2\n# EOF\n", "no timestamp"),
        ("a 1 10\n", "ends without"),
        ("a 1 10\n# EOF\nb 1 1\n", "line 3"),
        ("a 1 10\nb 0x10 11\n# EOF\n", "not a value"),
        ("a 1 10\n" + "b" * (1 << 21) + " 1 1\n# EOF\n", "longer than"),
    ],
)
def test_a_file_that_is_no_openmetrics_is_refused_at_its_line(tmp_path: Path, capfd: Output, text: str, said: str) -> None:
    (tmp_path / "bad.om").write_text(text)
    code, _, err = run(capfd, "import", "openmetrics", tmp_path / "bad.om", "--data", tmp_path / "data")
    assert (code, said in err) == (1, True), err


def test_distributions_are_exported_as_histograms(tmp_path: Path, capfd: Output) -> None:
    store = store_in(tmp_path)
    refs = store.intern([series("wait")], [Kind.DISTRIBUTION])
    bins = np.array([8000, 8100], np.int32)
    store.append_histograms(refs, np.array([START]), np.array([0, 2]), bins, np.array([2.0, 3.0]), np.array([7.5]))
    store.close()
    out = run(capfd, "export", "--match", "wait", "--format", "openmetrics", "--data", tmp_path)[1].splitlines()
    assert out[0] == "# TYPE wait histogram"
    assert [line.split(" ")[1] for line in out[1:6]] == ["2", "5", "5", "5", "7.5"]
    assert out[3].startswith('wait_bucket{le="+Inf"}')
    assert "count:5" in run(capfd, "export", "--match", "wait", "--data", tmp_path)[1]


def test_parquet_has_typed_columns(data: Path, tmp_path: Path, capfd: Output) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    file = tmp_path / "all.parquet"
    assert run(capfd, "export", "--match", EVERY, "--format", "parquet", "-o", file, "--data", data)[0] == 0
    table = parquet.read_table(file)
    assert table.column_names == ["time", "name", "labels", "value", "histogram"]
    assert table.num_rows == 600
    row = table.slice(121, 1).to_pylist()[0]
    assert (row["name"], row["labels"], row["value"]) == ("load", [("host", "h1")], 1001.0)
    assert round(row["time"].timestamp() * 1000) == START + 1000


def test_an_export_of_a_running_collector_reads_a_copy(data: Path, capfd: Output) -> None:
    lock = FolderLock(data)
    lock.take()
    code, out, _ = run(capfd, "export", "--match", EVERY, "--data", data)
    assert (code, out.count("\n")) == (0, 601)
    assert not list(data.glob("export-*"))
    for verb in (("delete", "--match", "load", "--yes"), ("import", "openmetrics", "x"), ("check", "--repair")):
        code, _, err = run(capfd, *verb, "--data", data)
        assert (code, "Stop it first" in err) == (1, True)
    assert run(capfd, "stats", "--json", "--data", data)[0] == 0
    lock.free()


def test_deleting_says_first_what_would_go(data: Path, capfd: Output) -> None:
    out = run(capfd, "delete", "--match", 'load{host="h1"}', "--data", data)[1]
    assert "would delete the samples of 1 series" in out
    assert len(kept(data)) == 5
    span = ("--start", START // 1000 + 50, "--end", START // 1000 + 59)
    assert run(capfd, "delete", "--match", 'load{host="h1"}', *span, "--yes", "--data", data)[0] == 0
    after = kept(data)
    assert len(after[series("load", host="h1")]) == 110
    assert len(after[series("load", host="h2")]) == 120


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "--match", "up["),
        ("export", "--match", "rate(up[5m])"),
        ("export", "--match", "up", "--start", "yesterday"),
        ("export", "--match", "up", "--start", "20", "--end", "10"),
        ("import", "prometheus", "http://localhost", "--match", "up"),
    ],
)
def test_flags_that_make_no_sense_are_told(data: Path, capfd: Output, arguments: tuple[str, ...]) -> None:
    code, _, err = run(capfd, *arguments, "--data", data)
    assert code == 2
    assert err.startswith("lightship: ")


# Import from Prometheus


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    """A Prometheus with 3 series over six hours."""
    labels = (series("hits_total", host="h0"), series("hits_total", host="h1"), series("temp"))
    with prometheus() as running:
        for hour in range(6):  # it takes nothing that is an hour older than its newest
            fast, slow = np.arange(hour * 240, hour * 240 + 240), np.arange(hour * 60, hour * 60 + 60)
            times = np.concatenate((fast * 15_000, fast * 15_000, slow * 60_000 + 250)) + START
            values = np.concatenate((fast * 1.0, fast * 2.0, slow / 8))
            running.write([SeriesColumns(labels, np.array([0, 240, 480, 540]), times, values)])
        yield running


def expected(first: int, last: int, hosts: tuple[int, ...] = (0, 1)) -> dict[Labels, dict[int, float]]:
    found: dict[Labels, dict[int, float]] = {}
    for host in hosts:
        at = {START + n * 15_000: float(n * (host + 1)) for n in range(1440)}
        found[series("hits_total", host=f"h{host}")] = {time: value for time, value in at.items() if first <= time <= last}
    return found


def test_samples_of_a_prometheus_are_taken_as_they_are(peer: Peer, tmp_path: Path, capfd: Output) -> None:
    span = ("--start", START // 1000, "--end", START // 1000 + 6 * 3600)
    code, out, err = run(capfd, "import", "prometheus", peer.url, "--match", EVERY, *span, "--data", tmp_path)
    assert (code, out) == (0, "3240 samples of 3 series were taken in.\n"), err
    found = kept(tmp_path)
    temperature = found.pop(series("temp"))
    assert found == expected(0, 1 << 50)
    assert temperature == {START + n * 60_000 + 250: n / 8 for n in range(360)}
    assert not list((tmp_path / "history").glob("import-*"))
    store = store_in(tmp_path)
    assert store.kinds(store.intern(list(found), [Kind.GAUGE] * 2)).tolist() == [Kind.COUNTER] * 2
    store.close()
    again = run(capfd, "import", "prometheus", peer.url, "--match", EVERY, *span, "--data", tmp_path)
    assert again[0] == 0
    assert kept(tmp_path)[series("temp")] == temperature, "nothing is there twice"


def test_an_import_that_broke_off_goes_on_where_it_stopped(
    peer: Peer, tmp_path: Path, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = ("--start", START // 1000 + 1, "--end", START // 1000 + 5 * 3600)
    arguments = ("import", "prometheus", peer.url, "--match", 'hits_total{host="h1"}', *span, "--data", tmp_path)
    asked = 0
    plain = PrometheusImport._ask

    def ask(self: PrometheusImport, path: str, form: dict[str, str], most: int) -> bytes:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise ToolError("the line is dead")
        return plain(self, path, form, most)

    monkeypatch.setattr(PrometheusImport, "_ask", ask)
    code, out, err = run(capfd, *arguments)
    assert (code, out, "the line is dead" in err) == (1, "240 samples of 1 series were taken in.\n", True)
    code, out, _ = run(capfd, *arguments)
    assert code == 0
    assert out.startswith("960 samples of 1 series were taken in.\nIt went on from 2025-11-24T17:00:")
    assert kept(tmp_path) == expected(START + 1000, START + 5 * 3_600_000, (1,))


def test_too_much_at_once_is_asked_for_in_shorter_stretches(
    peer: Peer, tmp_path: Path, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.storage.history.tools.prometheus._MOST_BYTES", 6000)
    span = ("--start", START // 1000, "--end", START // 1000 + 3600)
    code, out, _ = run(capfd, "import", "prometheus", peer.url, "--match", "hits_total", *span, "--data", tmp_path)
    assert (code, out) == (0, "482 samples of 2 series were taken in.\n")
    assert kept(tmp_path) == expected(START, START + 3_600_000)


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1", "cannot be reached"), ("ftp://x", "no address"), ("nonsense", "no address")],
)
def test_a_server_that_is_none_is_told(tmp_path: Path, capfd: Output, url: str, said: str) -> None:
    code, _, err = run(capfd, "import", "prometheus", url, "--match", "up", "--start", "-1h", "--data", tmp_path)
    assert (code, said in err) == (1, True)
