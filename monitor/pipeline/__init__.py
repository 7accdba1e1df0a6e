"""What happens to samples, spans and logs between a receiver and the engine: personal data, tags, sampling."""
