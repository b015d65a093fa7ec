"""The steps, oldest first. Their text is frozen once released."""
