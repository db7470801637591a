"""The grant and its maquette."""
