"""Log records as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.texts import Texts, told_together

Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Logs:
    """n records in order of arrival.

    `times` int64[n] nanoseconds since the epoch; `severities` int8[n], OTLP's numbers (1 to 24: 9 info, 13 warn, 17 error; 0
    where nobody said); `services` int32[n], places in `texts`, whose first is ""; `traces` uint64[n, 2] and `spans` uint64[n], 0
    where there is none. `bodies` one a record; `details` MessagePack of a map with "attributes", "resource", "scope", "severity"
    (as the sender wrote it), each left out where empty.
    """

    texts: Texts
    times: Longs
    severities: npt.NDArray[np.int8]
    services: npt.NDArray[np.int32]
    traces: Numbers
    spans: Numbers
    bodies: Sequence[str]
    details: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: npt.NDArray[Any]) -> Logs:
        """Those at the places of an int array, or where a bool array is true; `texts` stay whole."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        columns: dict[str, Any] = {name: getattr(self, name)[places] for name in _COLUMNS}
        order = places.tolist()
        return replace(
            self, bodies=[self.bodies[place] for place in order], details=[self.details[place] for place in order], **columns
        )


_COLUMNS = tuple(field.name for field in fields(Logs) if field.name not in ("texts", "bodies", "details"))


def no_logs() -> Logs:
    """None at all."""
    return Logs(
        ("",),
        np.empty(0, np.int64),
        np.empty(0, np.int8),
        np.empty(0, np.int32),
        np.empty((0, 2), np.uint64),
        np.empty(0, np.uint64),
        (),
        (),
    )


def joined_logs(parts: Sequence[Logs]) -> Logs:
    """All of them, one after the other, over one table of texts."""
    if not parts:
        return no_logs()
    if len(parts) == 1:
        return parts[0]
    texts, moved = told_together([part.texts for part in parts])
    columns: dict[str, Any] = {
        name: np.concatenate(
            [
                places[part.services] if name == "services" else getattr(part, name)
                for part, places in zip(parts, moved, strict=True)
            ]
        )
        for name in _COLUMNS
    }
    return Logs(
        texts=texts,
        bodies=[body for part in parts for body in part.bodies],
        details=[each for part in parts for each in part.details],
        **columns,
    )
