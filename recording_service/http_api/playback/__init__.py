"""Playing a recording over HTTP: ranges, conditions, the bytes, and the honest answer where there are none."""
