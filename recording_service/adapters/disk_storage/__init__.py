"""The shelf on disk: one folder an account, in it one a recording, in it one file an attempt."""
