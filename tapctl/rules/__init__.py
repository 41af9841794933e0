"""Lint rules over the desired state: what the schema cannot see and the tenant would punish."""
