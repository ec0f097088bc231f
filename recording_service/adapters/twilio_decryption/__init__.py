"""Decrypts what Twilio has encrypted for the account's public keys, with the private ones (twilio.md A4)."""
