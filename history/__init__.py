"""What was: results, faces, tracks and all that is made of them, in a database, by a process of its own."""
