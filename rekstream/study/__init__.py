"""`rekstream study`: one picture asked about again and again, changed a little each time, and what survives of the answer."""
