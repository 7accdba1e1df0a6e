"""Rules, their judgement, the life of an alert, silences, and why somebody was or was not told."""
