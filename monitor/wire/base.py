"""What all messages of `lightship.v1` are made of: the base classes and the columns that numbers travel in."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np


class I32(np.ndarray[Any, np.dtype[np.int32]]):
    """A column of int32."""


class F64(np.ndarray[Any, np.dtype[np.float64]]):
    """A column of float64."""


class Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True, eq=False):
    """Base of all messages; the tag is the class name in snake case."""


def tag(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


class Request(Message, frozen=True):
    """Base of what a client sends; `id` is the client's own number, answered by a `reply` with the same."""

    id: int
