"""What is heard in MP3 and WAV files: soundfile (libsndfile, mpg123) decodes, numpy measures."""
