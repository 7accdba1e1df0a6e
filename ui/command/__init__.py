"""The `lightship` command: one word, a few verbs, exit codes that scripts can trust."""
