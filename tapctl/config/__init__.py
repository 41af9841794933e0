"""YAML to desired state: files, positions, merging, schema, references. `load` is the way in."""
