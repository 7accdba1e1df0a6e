"""The one style sheet of the application, made from the tokens when the theme changes."""

from __future__ import annotations

from ui.desktop.look import Look

_SHEET = """
QWidget#page, QWidget#body, QMainWindow, QWidget#canvas {{ background: {canvas}; }}
QWidget#bar {{ background: {card}; }}
QFrame#card {{ background: {card}; border: 1px solid {subtle}; border-radius: 8px; }}
QFrame#card[edge="critical"] {{ border-left: 3px solid {critical}; }}
QFrame#card[edge="warning"] {{ border-left: 3px solid {warning}; }}
QFrame#inset {{ background: transparent; border: 1px solid {strong}; border-radius: 6px; }}
QFrame#float {{ background: {raised}; border: 1px solid {control}; border-radius: 8px; }}
QAbstractItemView {{ background: transparent; border: 0; outline: 0; }}
QScrollArea {{ background: transparent; border: 0; }}
QLineEdit {{ background: {canvas}; color: {primary}; border: 1px solid {control}; border-radius: 5px;
  padding: 0 7px; min-height: {field}px; selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit:focus {{ border: 2px solid {focus}; padding: 0 6px; }}
QLineEdit:disabled {{ color: {disabled}; border-color: {strong}; }}
QLineEdit[wrong="true"] {{ border-color: {critical}; }}
QLineEdit#find {{ background: transparent; border: 0; padding: 0; font-size: 14px; }}
QPlainTextEdit {{ background: transparent; color: {primary}; border: 0; selection-background-color: {accent_tint};
  selection-color: {primary}; }}
QHeaderView {{ background: transparent; border: 0; }}
QHeaderView::section {{ background: transparent; color: {secondary}; border: 0; padding: 0 8px; font-weight: 500; }}
QTableView {{ gridline-color: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 2px 1px; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 1px 2px; }}
QScrollBar::handle {{ background: {strong}; border-radius: 3px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::handle:hover {{ background: {control}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page
  {{ background: transparent; border: 0; width: 0; height: 0; }}
QAbstractScrollArea::corner {{ background: transparent; border: 0; }}
QToolTip {{ background: {raised}; color: {primary}; border: 1px solid {control}; padding: 4px 6px; }}
QSplitter::handle {{ background: transparent; }}
"""


def sheet(look: Look) -> str:
    """QSS of the present theme: only what Qt's own widgets need; everything of ours paints itself."""
    names = {
        "canvas": "canvas",
        "card": "card",
        "raised": "raised",
        "primary": "text-primary",
        "secondary": "text-secondary",
        "disabled": "text-disabled",
        "on_accent": "on-accent",
        "subtle": "line-subtle",
        "strong": "line-strong",
        "control": "line-control",
        "accent": "accent",
        "accent_tint": "accent-tint",
        "focus": "focus",
        "critical": "critical",
        "warning": "warning",
    }
    colours = {key: look.theme.colour(name) for key, name in names.items()}
    return _SHEET.format(**colours, field=40 if look.phone else 24)
