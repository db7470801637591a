"""The two doors: JSON and pages, over the same decisions and the same queries."""
