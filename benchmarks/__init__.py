"""Benchmarks: `python -m benchmarks [NAME …]`. What they found, and on what machine, is in docs/performance.md."""
