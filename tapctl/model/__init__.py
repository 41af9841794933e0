"""Frozen values that the rest of tapctl speaks in. Standard library only."""
