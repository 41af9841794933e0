"""tapctl keeps Temporary Access Pass sign-in as code: policy, target groups and web sign-in profile."""

__version__ = "0.1.0"
