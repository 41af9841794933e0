"""Impact and conflicts: never too small a figure, never a silent gap."""
