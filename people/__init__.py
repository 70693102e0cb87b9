"""Who is there: people, visits, watch lists and alerts, in a process of its own."""
