"""What a plan means for people and devices, beyond the fields it changes."""
