"""What could be written in a query, and what a query may ask."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from collector.finding import check_query, find, ranked
from collector.query import QueryService
from collector.server.backend import CommandError
from monitor.query.history import Metadata
from monitor.query.memory import MemoryHistory
from monitor.wire import messages as m


@pytest.fixture
async def queries() -> AsyncIterator[QueryService]:
    history, now = MemoryHistory(), int(time.time() * 1000)
    for name, labels in (("shop.hits", {"service": "api"}), ("shop.hits", {"service": "cart"}), ("up", {"job": "x"})):
        pairs = tuple(sorted({"__name__": name, **labels}.items()))
        history.append(pairs, np.array([now - 30_000, now - 10_000]), np.array([1.0, 4.0]))
    history.describe("shop.hits", Metadata("counter", "", "requests"))
    service = QueryService(history)
    yield service
    service.close()


async def names(queries: QueryService, what: str, text: str = "", label: str = "", selector: str = "{}") -> list[str]:
    told = await find(queries, m.Find(1, what, label, selector, text))
    return [each["name"] for each in told["found"]]


async def test_metrics_are_found_with_what_they_are(queries: QueryService) -> None:
    told = await find(queries, m.Find(1, "metrics", text="hi"))
    assert told == {"found": [{"name": "shop.hits", "detail": "counter requests"}], "more": False}


async def test_labels_and_values_are_those_of_the_series_selected(queries: QueryService) -> None:
    assert await names(queries, "labels", selector="shop.hits") == ["__name__", "service"]
    assert await names(queries, "values", label="service") == ["api", "cart"]
    assert await names(queries, "values", label="service", selector='shop.hits{service="api"}') == ["api"]


async def test_more_than_asked_for_is_said(queries: QueryService) -> None:
    told = await find(queries, m.Find(1, "values", "service", limit=1))
    assert told == {"found": [{"name": "api", "detail": ""}], "more": True}


async def test_what_makes_no_sense_is_refused_in_a_sentence(queries: QueryService) -> None:
    for request, words in (
        (m.Find(1, "colours"), "what must be"),
        (m.Find(1, "labels", selector="a{"), "selector, column 3"),
    ):
        with pytest.raises(CommandError, match=words):
            await find(queries, request)


def test_what_begins_with_the_text_comes_first_then_words_that_do() -> None:
    assert ranked(["a_rate", "generated", "rate_x", "Rates"], "rate") == ["Rates", "rate_x", "a_rate", "generated"]


@pytest.mark.parametrize(
    "request_",
    [m.Query(1, "up", 0.0, float("nan")), m.Query(1, "up", 0.0, 1.0, -1.0), m.Query(1, "up", 0.0, 1.7e12)],
)
def test_numbers_that_make_no_query_are_refused(request_: m.Query) -> None:
    with pytest.raises(CommandError):
        check_query(request_)
