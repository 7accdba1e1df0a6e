"""Names and ids as Alertmanager and its clients take them: legal labels, fingerprints, ids of silences as UUIDs."""

from __future__ import annotations

import functools
import re

from monitor.alerting.fingerprint import fingerprint

Pairs = tuple[tuple[str, str], ...]

SENDER_HEADER = "X-Lightship-Instance"
"""With it a Lightship says which one it is when it posts its alerts: they go no further, and not in a circle."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")
_OWN = re.compile(r"silence-([0-9a-f]{16})")
_UUID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-8([0-9a-f])00-000000000000")


def legal_labels(labels: Pairs) -> Pairs:
    """Sorted, with names every Prometheus takes: others' characters become `_`, and one whose name is taken then is
    `exported_…`. Without empty values, which are as good as none.
    """
    taken = {name for name, value in labels if value and name and not _ILLEGAL.search(name) and not name[0].isdigit()}
    kept = [(name, value) for name, value in labels if name in taken and value]
    for name, value in labels:
        if name in taken or not value:
            continue
        legal = _ILLEGAL.sub("_", name) or "_"
        legal = f"_{legal}" if legal[0].isdigit() else legal
        while legal in taken:
            legal = f"exported_{legal}"
        taken.add(legal)
        kept.append((legal, value))
    return tuple(sorted(kept))


@functools.lru_cache(maxsize=16_384)
def fingerprint_of(labels: Pairs) -> str:
    """Of whole labels, as Alertmanager computes it."""
    return fingerprint(labels)


def silence_uuid(name: str) -> str:
    """The id of a silence in the form of a UUID, as the API's description asks for; another id stays as it is."""
    own = _OWN.fullmatch(name)
    if own is None:
        return name
    digits = own[1]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[12:15]}-8{digits[15]}00-000000000000"


def silence_name(given: str) -> str:
    """The id a silence has here, of either form."""
    found = _UUID.fullmatch(given.lower())
    return f"silence-{''.join(found.groups())}" if found else given
