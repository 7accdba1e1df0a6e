"""The grouping key in the path of a push: `<job>{/<label>/<value>}*`, values also as base64.

Source: prometheus/pushgateway, README ("URL") and handler/push.go.
"""

from __future__ import annotations

import base64
import binascii
import re

from monitor.query.history import Labels

_BASE64 = "@base64"
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*+")
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*+")


class BadGroupingError(ValueError):
    """A path that names no group; the message says why."""


def grouping_of(path: str, job_is_base64: bool) -> Labels:
    """Labels of the group, sorted, with `job` among them; `path` is what stands behind `/metrics/job/` or
    `/metrics/job@base64/`, unquoted. Values may be empty, which is how a label is kept free. Raises `BadGroupingError`.
    """
    job, _, rest = path.partition("/")
    if job_is_base64:
        job = _decoded(job, f"job name {job[:60]!r}")
    parts = rest.split("/") if rest else []
    if len(parts) % 2:
        raise BadGroupingError(f"odd number of components in the labels {rest[:100]!r}: each name needs a value")
    if not job:
        raise BadGroupingError("job name is required")
    labels: dict[str, str] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        plain = name.removesuffix(_BASE64)
        if _LABEL_NAME.fullmatch(plain) is None or plain.startswith("__"):
            raise BadGroupingError(f"improper label name {plain[:60]!r}")
        labels[plain] = value if plain == name else _decoded(value, f"label {plain}={value[:60]!r}")
    return tuple(sorted((labels | {"job": job}).items()))


def _decoded(text: str, what: str) -> str:
    bare = text.rstrip("=")
    try:
        if _ALPHABET.fullmatch(bare) is None:
            raise BadGroupingError(f"invalid base64 encoding for {what}")
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadGroupingError(f"invalid base64 encoding for {what}") from None
