"""The crypto path of the suite, none of it shared with a gateway."""
