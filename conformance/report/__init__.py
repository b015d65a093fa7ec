"""What a run leaves behind: pages, files, statements."""
