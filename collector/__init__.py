"""The service: every socket, file and clock of Lightship lives here."""
