"""What others call: counterpart endpoint, REST, operations."""
