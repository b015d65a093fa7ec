"""Two gateways on this machine and three trucks."""
