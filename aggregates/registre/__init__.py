"""What the register does of itself, and keeps the proof of."""
