"""Results and metrics for people and programs: the HTTP API, and the state file that keeps what Redis may lose."""
