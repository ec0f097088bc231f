"""Transcripts by whatever answers as OpenAI does at `POST /v1/audio/transcriptions`: the de-facto standard.

So do OpenAI, whisper.cpp's server, servers of faster-whisper such as speaches, LocalAI and vLLM, each a little
differently: what is asked for all of them know, and of what they answer only that is needed which all of them send.
"""
