"""What may happen: facts, states and decisions. No web, no database, no clock."""
