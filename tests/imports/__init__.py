"""Who may import whom, held by reading the source."""
