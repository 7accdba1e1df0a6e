"""Figures of the API, with what each counts."""

from __future__ import annotations

FIGURES: dict[str, str] = {
    "alertmanager_requests_total": "Requests to the API that is like Alertmanager's.",
    "alertmanager_refused_total": "Requests to it that could not be read or carried out.",
}
