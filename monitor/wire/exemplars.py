"""Messages of exemplars: which traces stand behind the series of a chart."""

from __future__ import annotations

import msgspec

from monitor.wire.base import Message, Request, tag


class ExemplarInfo(msgspec.Struct, frozen=True):
    """One observation that was told with its trace. `asked`: place among the expressions asked, from 0. `value` in the unit of
    its series. `trace` (32 hex digits) and `span` (16) are "" where none was told; `labels` are its own, without these two.
    """

    asked: int
    time: float
    value: float
    trace: str = ""
    span: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class ExemplarsFound(Message, frozen=True, tag=tag):
    """Answer to `get_exemplars`, by time. `total` there are when more than are told."""

    id: int
    exemplars: tuple[ExemplarInfo, ...]
    total: int = 0


class GetExemplars(Request, frozen=True, tag=tag):
    """Exemplars of the series that each of some PromQL expressions selects, between two times. Answered by `exemplars_found`.

    Of more than `limit` those are told that stand out: of equal parts of the time the greatest values. An expression that
    cannot be read has none.
    """

    exprs: tuple[str, ...]
    start: float
    end: float
    limit: int = 200
