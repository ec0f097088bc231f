"""One composition root a process: each builds its object graph from the settings, runs it, and stops it."""
