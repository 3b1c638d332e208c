"""Run ledger, progress."""
