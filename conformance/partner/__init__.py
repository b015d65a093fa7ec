"""The simulated partner: a receiver that behaves as a case asks."""
