"""Kinetic scrolling by finger, where the platform has fingers."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractScrollArea, QScroller


def kinetic(view: QAbstractScrollArea) -> None:
    """Let a touch on the view scroll it. The mouse keeps its own ways: only touch is grabbed."""
    QScroller.grabGesture(view.viewport(), QScroller.ScrollerGestureType.TouchGesture)
