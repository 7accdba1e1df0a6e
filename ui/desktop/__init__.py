"""The desktop: PySide6 painters of the pictures that `ui.views` makes."""
