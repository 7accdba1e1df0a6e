"""Exemplars as the collector keeps them: found by what a query selects, over a restart, and bounded on their way in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector import exemplars
from collector.exemplar_answer import MOST_EXPRESSIONS, answer_exemplars
from collector.exemplars import KeptExemplars
from collector.exporters.exemplars import Shown, exemplar_text
from collector.pipeline import Pipeline
from collector.receivers.prometheus.line import rest_of
from collector.server.backend import CommandError
from collector.server.prometheus.exemplars_json import exemplars_json
from collector.storage.exemplar_file import pack, unpack
from monitor.model.exemplars import ExemplarColumns, Exemplars
from monitor.model.matchers import Matcher
from monitor.model.series import KeySpace, Kind, series_key
from monitor.query.parse import parse
from monitor.query.tree import selected
from monitor.settings.load import load_settings
from monitor.wire.exemplars import GetExemplars

NOW = 1_700_000_000.0
TRACE = 0x5B8EFFF798038103D269B633813FC60C


def batch(*told: tuple[str, float], at: float = NOW, labels: tuple[tuple[str, str], ...] = (), **tags: str) -> Exemplars:
    """Exemplars of series by their names and values."""
    space, columns = KeySpace(), ExemplarColumns()
    for name, value in told:
        columns.put(space.add(series_key(name, tags.items()), Kind.COUNTER), at, value, labels, TRACE, 7)
    return columns.batch(space)


def kept(folder: Path, limit: int = 100) -> KeptExemplars:
    return KeptExemplars(limit, 60.0, folder / "exemplars.packed")


def found(one: KeptExemplars, query: str) -> list[str]:
    """The series a query finds, as labels."""
    return [each.key.label() for each in asyncio.run(one.find(selected(parse(query)), 0.0, NOW + 10))]


def test_all_selectors_of_a_query_are_asked(tmp_path: Path) -> None:
    one = kept(tmp_path)
    one.take(batch(("a", 1.0), ("b", 2.0), ("c", 3.0), job="x"))
    one.tick(NOW)
    assert found(one, 'rate(a{job="x"}[5m]) / on() group_left b{job!="y"}') == ['a{job="x"}', 'b{job="x"}']
    assert found(one, 'a{job="y"}') == []
    assert found(one, "1 + 1") == []
    one.close()


def test_names_are_found_as_they_are_written_in_promql_too(tmp_path: Path) -> None:
    one = kept(tmp_path)
    one.take(batch(("shop.orders", 1.0)))
    one.tick(NOW)
    assert found(one, "shop_orders") == found(one, '{"shop.orders"}') == found(one, '{__name__=~"shop_.*"}') == ["shop.orders"]
    one.close()


def test_a_bucket_answers_for_its_histogram_but_once(tmp_path: Path) -> None:
    one = kept(tmp_path)
    one.take(batch(("h_bucket", 1.0), le="2", job="x"))
    one.tick(NOW)
    assert found(one, "h") == ['h{job="x"}']
    assert found(one, '{job="x"}') == ['h_bucket{job="x",le="2"}']
    one.close()


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    one = kept(tmp_path)
    one.take(batch(("a", 1.0), labels=(("who", "mira\n"),), job="x"))
    one.tick(NOW)
    one.close()
    again = kept(tmp_path)
    answer, _ = exemplars_json(asyncio.run(again.find([(Matcher("__name__", "=", "a"),)], 0, NOW)))
    assert answer == [
        {
            "seriesLabels": {"__name__": "a", "job": "x"},
            "exemplars": [
                {
                    "labels": {"span_id": f"{7:016x}", "trace_id": f"{TRACE:032x}", "who": "mira\n"},
                    "value": "1",
                    "timestamp": NOW,
                }
            ],
        }
    ]
    again.take(batch(("a", 1.0), labels=(("who", "mira\n"),), job="x"))
    again.tick(NOW)
    assert again.figures()["exemplars_duplicate_total"] == 1
    again.close()


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"x" + data, lambda data: data[:40], lambda data: b""])
def test_a_damaged_file_is_told_and_exemplars_begin_empty(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    one = kept(tmp_path)
    one.take(batch(("a", 1.0)))
    one.tick(NOW)
    one.close()
    file = tmp_path / "exemplars.packed"
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    again = kept(tmp_path)
    assert again.figures()["exemplars"] == 0
    assert "exemplars of before the restart cannot be read" in caplog.text
    again.close()


def test_an_empty_table_has_a_file_too(tmp_path: Path) -> None:
    one = kept(tmp_path)
    assert unpack(pack(one.snapshot())).keys == []
    one.close()


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    one = KeptExemplars(10, 0.0, tmp_path / "not there" / "exemplars.packed")
    one.take(batch(("a", 1.0)))
    one.tick(NOW)
    one.close()
    assert one.notes() == ["exemplars cannot be kept over a restart: No such file or directory"]


def test_more_than_may_wait_are_shed_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemplars, "WAITING", 3)
    one = kept(tmp_path)
    one.take(batch(("a", 1.0), ("b", 1.0)))
    one.take(batch(("a", 2.0), ("b", 2.0)))
    one.tick(NOW)
    assert (one.figures()["exemplars"], one.figures()["exemplars_shed_total"]) == (2, 2)
    one.take(batch(("c", 1.0)))
    one.tick(NOW)
    assert one.figures()["exemplars"] == 3
    one.close()


def test_the_pipeline_renames_and_drops_their_series_and_takes_personal_data_out(tmp_path: Path) -> None:
    text = '[[pipeline]]\ndrop = "a"\n[[pipeline]]\nset = { env = "prod" }\n'
    pipeline = Pipeline(load_settings('pii = { email = "redact" }\n' + text, "lightship.toml", {}))
    one = KeptExemplars(10, 0.0, tmp_path / "exemplars.packed", pipeline.exemplars)
    one.take(batch(("a", 1.0), ("b", 1.0), labels=(("who", "mira@example.org"),)))
    one.tick(NOW)
    assert found(one, '{env="prod"}') == ['b{env="prod"}']
    assert "mira@example.org" not in str(one.snapshot().rows.labels.tolist())
    assert one.figures()["exemplars_invalid_total"] == 1
    one.close()


async def test_of_many_those_that_stand_out_are_told(tmp_path: Path) -> None:
    one = kept(tmp_path, limit=1000)
    for second in range(100):
        one.take(batch(("a", 50.0 if second == 42 else 1.0 + second / 1000), at=NOW - 100 + second))
    one.tick(NOW)
    told = await answer_exemplars(one, GetExemplars(1, ("a",), NOW - 100, NOW, 10))
    assert (len(told.exemplars), told.total) == (10, 100)
    assert max(each.value for each in told.exemplars) == 50.0
    assert [each.time for each in told.exemplars] == sorted(each.time for each in told.exemplars)
    assert (await answer_exemplars(one, GetExemplars(1, ("(", "a"), NOW, NOW - 0.0))).exemplars == ()
    one.close()


async def test_too_much_and_the_impossible_cannot_be_asked(tmp_path: Path) -> None:
    one = kept(tmp_path)
    for request in (
        GetExemplars(1, ("a",) * (MOST_EXPRESSIONS + 1), 0, 1),
        GetExemplars(1, ("a",), 2, 1),
        GetExemplars(1, (), float("nan"), 1),
    ):
        with pytest.raises(CommandError):
            await answer_exemplars(one, request)
    assert (await answer_exemplars(None, GetExemplars(1, ("a",), 0, 1))).exemplars == ()
    one.close()


def test_what_an_exposition_says_of_one_is_read_back_the_same() -> None:
    hostile = 'a"b\\c\nd # {x="y"} 1'
    rest = rest_of("5" + exemplar_text(Shown((("a b", hostile), ("9", "x")), 0.25, NOW)), openmetrics=True)
    assert rest.exemplar is not None
    assert rest.exemplar == ((("a_b", hostile), ("_", "x")), 0.25, NOW)
