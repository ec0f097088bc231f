"""Alembic's environment and the migrations, one file a change of the schema, applied when a catalogue is opened."""
