"""Measurements: each is a ratio against something in the same run, on real parts. `make bench` runs them all."""
