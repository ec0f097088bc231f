"""The fault harness: the real service in real processes, everything around it made to fail (docs/reliability.md)."""
