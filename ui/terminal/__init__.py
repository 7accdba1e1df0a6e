"""The terminal's painter: cells from pictures, for eighty columns over a slow line as for a wide screen at home."""
