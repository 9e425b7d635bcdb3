"""What travels over HTTP: requests in, bytes out. Knows the planner and the database by their promises alone."""
