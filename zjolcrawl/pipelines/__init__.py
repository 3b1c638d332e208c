"""One step a file, in the order settings.py lists them."""
