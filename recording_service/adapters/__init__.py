"""One port each: the databases, queues, shelves and networks that the core needs, and their in-memory doubles."""
