"""Recordings from Twilio, over HTTP (twilio.md A4, reliability.md C 8 to 11)."""
