"""From desired and live to a plan, and from a plan to writes. The planner is pure; only the applier writes."""
