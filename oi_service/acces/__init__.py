"""Who comes in: passwords, second factors, sessions, tokens, and the traces that they leave."""
