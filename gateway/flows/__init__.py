"""One module per use case, and the ports they need."""
