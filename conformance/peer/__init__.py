"""The reference peer, right, or wrong in one way."""
