"""What was in some hours or days, as one page of HTML that needs nothing else: read from the history's database."""
