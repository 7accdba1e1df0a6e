"""The unit of a query's answer for people: from the units of its metrics, through what is done to them."""

from __future__ import annotations

from monitor.model.matchers import NAME_TAG, Matcher
from monitor.model.matchers import Selector as Wanted
from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.query.ast import Expr, Selector
from monitor.query.units import BITS, BYTES, COUNT, PERCENT, PLAIN, SECONDS, TIME, Quantity, infer
from ui.views.index import SeriesIndex
from ui.views.units import PLAIN as NO_UNIT
from ui.views.units import Family, Unit, unit_of

_FAMILIES = {BYTES: Family.BYTES, BITS: Family.BITS, SECONDS: Family.DURATION, PERCENT: Family.PERCENT}
_BASES = {family: base for base, family in _FAMILIES.items()}
MOST_KNOWN = 2_000


def unit_from(found: Quantity | None) -> Unit:
    """The unit to write values of a quantity in; none where it has no usual one."""
    if found is None:
        return NO_UNIT
    bases = [(base, power) for base, power in found.powers if base not in (COUNT, TIME)]
    over_time = found.power(TIME)
    if found.ratio and not found.powers:
        return Unit(Family.PERCENT, 100.0 / found.scale)
    if over_time not in (0, -1) or len(bases) > 1 or any(power != 1 for _, power in bases):
        return NO_UNIT
    if not bases:
        return _things(found, over_time)
    base, per = bases[0][0], "/s" if over_time else ""
    family = _FAMILIES.get(base)
    if family is None:
        return Unit(word=base, factor=1.0 / found.scale, per=per)
    if family is Family.DURATION and per:  # seconds spent a second: how many at once
        return Unit(word=f"s{per}", factor=1.0 / found.scale)
    return Unit(family, 1.0 / found.scale, per)


def _things(found: Quantity, over_time: int) -> Unit:
    """A number of things, or of things over time: 60 times as many a second is that many a minute."""
    if not over_time or found.power(COUNT) != 1:
        return NO_UNIT
    per = {1.0: "/s", 60.0: "/min", 3600.0: "/h"}.get(found.scale)
    return Unit(per=per) if per else NO_UNIT


def quantity_from(unit: Unit) -> Quantity | None:
    """A unit as a quantity; None for a plain number, of which nothing is known."""
    over_time = {"/s": 1.0, "/min": 60.0, "": 0.0}.get(unit.per)
    if over_time is None or (unit == NO_UNIT):
        return None
    base = unit.word or _BASES.get(unit.family, COUNT)
    found = Quantity.of(base, scale=1.0 / unit.factor)
    return found.per_time().scaled(over_time) if over_time else found


class QueryUnits:
    """Units of expressions by what the index knows of their metrics; remembered while the series stay the same."""

    def __init__(self) -> None:
        self._known: dict[str, Quantity | None] = {}
        self._revision: tuple[int, int] = (-1, -1)

    def of(self, expr: Expr, index: SeriesIndex) -> Quantity | None:
        """The quantity of an expression's values."""
        revision = (id(index), index.revision)
        if revision != self._revision or len(self._known) > MOST_KNOWN:
            self._revision = revision
            self._known.clear()
        return infer(expr, lambda selector: self._metric(selector, index))

    def _metric(self, selector: Selector, index: SeriesIndex) -> Quantity | None:
        name = next((m.value for m in selector.matchers if m.name == NAME_TAG and m.op == "="), "")
        if not name:
            return None
        if name not in self._known:
            self._known[name] = self._find(name, index)
        return self._known[name]

    @staticmethod
    def _find(name: str, index: SeriesIndex) -> Quantity | None:
        infos = index.named(name) or index.selected(Wanted((Matcher(NAME_TAG, "=", name),)))
        if infos:
            return quantity_of(infos[0])
        kind = Kind.COUNTER if name.endswith(("_total", "_count", "_sum", "_bucket")) else Kind.GAUGE
        return quantity_of(SeriesInfo(-1, SeriesKey(name, ()), kind))


def quantity_of(info: SeriesInfo) -> Quantity | None:
    """What a series' stored values are: readings, running totals, or a histogram of observations."""
    name = info.key.name
    if info.kind is Kind.SET:
        return PLAIN
    if name.endswith("_bucket") and info.kind is not Kind.DISTRIBUTION:
        observed = unit_of(SeriesInfo(-1, SeriesKey(name.removesuffix("_bucket"), ()), Kind.GAUGE, info.unit), "value")
        return Quantity.of(COUNT, inside=quantity_from(observed))
    if name.endswith("_count") and not info.unit:
        return PLAIN
    found = quantity_from(unit_of(info, "sum"))
    if info.kind is Kind.DISTRIBUTION:
        return Quantity.of(COUNT, inside=found)
    return PLAIN if found is None and info.kind is Kind.COUNTER else found
