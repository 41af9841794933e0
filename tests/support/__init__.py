"""What tests of several layers share: a tenant from its YAML to its sandbox, with a clock that nobody waits for."""
