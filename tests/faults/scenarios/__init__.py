"""The scenarios of reliability.md B3, a module a part of the world that fails."""
