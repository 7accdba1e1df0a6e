"""What is done with a history beside recording and asking: backup, check, export, import, delete."""
