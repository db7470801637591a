"""What is shown: read models, rebuilt at will from the log. They see facts, never decisions."""
