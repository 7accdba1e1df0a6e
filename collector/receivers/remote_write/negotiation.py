"""What a request says it is: which message, and packed how.

Sources: prometheus.io, "Prometheus Remote-Write 1.0" and "2.0" specifications; storage/remote/write_handler.go where they say
too little (no Content-Type means 1.0, no Content-Encoding means snappy).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

_MEDIA_TYPE = "application/x-protobuf"


class Version(Enum):
    """The message of a request, by its name in `proto=`."""

    V1 = "prometheus.WriteRequest"
    V2 = "io.prometheus.write.v2.Request"


class UnsupportedError(ValueError):
    """A content that is none of remote write (HTTP 415); the message says what would be."""


def version_of(headers: Mapping[str, str]) -> Version:
    """The message that the headers announce. Raises `UnsupportedError`."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "snappy"):
        raise UnsupportedError(f"the content encoding {encoding[:40]!r} is not supported: remote write is packed with snappy")
    content_type = headers.get("Content-Type", "")
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    if not content_type:
        return Version.V1
    if media_type.lower() != _MEDIA_TYPE:
        raise UnsupportedError(f"the content type {media_type[:60]!r} is not supported: send {_MEDIA_TYPE}")
    for parameter in parameters:
        name, separator, value = parameter.partition("=")
        if not separator:
            raise UnsupportedError(f"the parameter {parameter[:60]!r} of the content type is not name=value")
        if name.strip().lower() == "proto":
            return _named(value.strip().strip('"'))
    return Version.V1


def _named(message: str) -> Version:
    try:
        return Version(message)
    except ValueError:
        known = " and ".join(version.value for version in Version)
        raise UnsupportedError(f"the message {message[:60]!r} is not supported: {known} are") from None
