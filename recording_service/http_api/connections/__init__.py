"""One connection and its limits, beneath the app."""
