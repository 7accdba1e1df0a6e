"""The terminal's painter: cells from pictures, for eighty columns over a slow line as for a wide screen at home."""

import os

# Textual reads these when it is imported: at most ten frames a second, and nothing moves by itself.
os.environ.setdefault("TEXTUAL_FPS", "10")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
