"""Public links over the wire."""
