"""Who callers are, what they may see, and what they may spend. Knows neither HTTP nor the planner."""
