"""In-memory doubles of catalogue, queue, shelf, source and change feed: for tests, in one process."""
