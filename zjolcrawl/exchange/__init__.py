"""Articles as files, and back."""
