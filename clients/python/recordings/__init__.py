"""The client of the recording service: see clients/python/README.md. `recordings.v1` is the generated code."""
