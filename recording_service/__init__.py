"""Takes call recordings off Twilio and makes them playable for ever after."""
