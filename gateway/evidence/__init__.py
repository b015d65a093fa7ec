"""What is kept so that both sides can check it."""
