"""Config, plugins, wiring and the two drivers."""
