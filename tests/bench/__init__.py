"""Benchmarks. `python -m tests.bench` prints their tables; the tests beside them assert counts, never seconds."""
