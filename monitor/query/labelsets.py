"""A series' labels as PromQL handles them: kept, dropped, set and shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from monitor.model.matchers import NAME_TAG
from monitor.query.history import Labels
from monitor.query.quoting import go_quote

METADATA = frozenset((NAME_TAG, "__type__", "__unit__"))
"""Labels that say what the values mean: they go where an operation changes that (Prometheus, schema.IsMetadataLabel)."""
NO_LABELS: Labels = ()


def value_of(labels: Labels, name: str) -> str:
    """The value of a label, "" where it is absent."""
    for label, value in labels:
        if label == name:
            return value
    return ""


def name_of(labels: Labels) -> str:
    return value_of(labels, NAME_TAG)


def keeping(labels: Labels, names: Collection[str]) -> Labels:
    """Only these labels."""
    return tuple(pair for pair in labels if pair[0] in names)


def dropping(labels: Labels, names: Collection[str]) -> Labels:
    """All labels but these."""
    return tuple(pair for pair in labels if pair[0] not in names)


def without_metadata(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in METADATA)


def with_labels(labels: Labels, changes: Mapping[str, str]) -> Labels:
    """These labels set; an empty value takes the label away."""
    kept = [pair for pair in labels if pair[0] not in changes]
    kept += [(name, value) for name, value in changes.items() if value]
    return tuple(sorted(kept))


def of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Labels from any pairs: sorted, empty ones left out."""
    return tuple(sorted((name, value) for name, value in dict(pairs).items() if value))


def valid_label_name(name: str) -> bool:
    """Any text but none; what was no UTF-8 was read as U+FFFD."""
    return name != "" and "\ufffd" not in name


def show(labels: Labels) -> str:
    """`{a="b", c="d"}`, the name as a label too (labels.Labels.String)."""
    return "{" + ", ".join(f"{_shown_name(name)}={go_quote(value)}" for name, value in labels) + "}"


def _shown_name(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()
    return name if plain else go_quote(name)
