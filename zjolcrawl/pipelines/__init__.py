"""Item pipelines, one per file; settings.py lists them in order."""
