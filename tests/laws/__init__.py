"""Laws: what holds for every valid desired state over every live state."""
