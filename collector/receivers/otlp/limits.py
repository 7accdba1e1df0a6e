"""What one message, point, span or record may bring; what is beyond is cut or left out, and counted."""

from __future__ import annotations

MOST_CONNECTIONS = 1024
"""Over gRPC at the same time; one more is closed."""
MOST_REQUESTS = 1024
"""Being answered at the same time; others are asked to come again."""
MOST_WAITING = 512 << 20
"""Bytes of the requests that are being read or wait for the disk."""
MOST_POINTS = 1_000_000
"""Data points, spans or records of one request that are read."""
MOST_OF_ONE = 1_000
"""Points of one explicit histogram in one request."""
MOST_NEW_SERIES = 200_000
"""That one request may bring."""
MOST_BUCKETS = 1024
"""Of one histogram point."""
MOST_QUANTILES = 64
"""Of one summary point."""
MOST_ATTRIBUTES = 128
"""Of one resource, scope, span, event, link or record, as OpenTelemetry's SDKs have it."""
MOST_EVENTS = 128
"""Of one span, and as many links."""
MOST_TEXT = 8192
"""Characters of an attribute's value."""
MOST_BODY = 65_536
"""Characters of a log record's body."""
MOST_NAME = 256
"""Characters of an operation's or service's name, as of a series' tag."""
MOST_DEPTH = 16
"""Values within values."""
MOST_KEPT = 50_000
"""Entries of each of a reader's dictionaries of bytes it met; a full one begins anew."""
LONGEST_KEPT = 1024
"""Bytes of an attribute, or of a point's attributes together, that such a dictionary keeps."""
