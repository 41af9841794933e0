"""Renders plans and findings for people, pipelines and other programs. Decides nothing."""
