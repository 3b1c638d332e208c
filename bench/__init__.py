"""Repeatable benchmarks; each prints ratios of runs that took turns on one machine."""
