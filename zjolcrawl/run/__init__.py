"""A run: its store, archive, locks, leases, counts, summary and alerts."""
