"""Faults under steady load: each part killed, stopped, paused, cut off or filled up, and what callers see of it."""
