"""Rule files on disk: read, watched, edited."""
