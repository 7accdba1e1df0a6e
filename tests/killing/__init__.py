"""A collector killed again and again under load: what it acknowledged is there, and nothing is there twice."""
