"""The console: its page, and what the page asks for."""
