"""What was said in a recording, and how it is written: known to the core, which makes it, and to whoever shows it."""
