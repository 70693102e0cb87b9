"""Camera -> frames worth analysing: sources, sampling, encoding, one process a camera; it ends at pipeline.mailbox."""
