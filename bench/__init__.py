"""Repeatable benchmarks: each prints ratios of runs that took turns on the same machine."""
