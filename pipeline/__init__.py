"""What the other packages hand to each other; imports nothing else of ours."""
