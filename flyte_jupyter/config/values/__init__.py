"""The value types of the configuration: what they accept, refuse, and compare by."""
