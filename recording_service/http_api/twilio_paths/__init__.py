"""Twilio's own paths, for whoever has stored its URLs."""
