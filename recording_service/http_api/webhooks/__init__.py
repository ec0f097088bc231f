"""Twilio's webhooks: whether they are genuine, what they say, and what is answered."""
