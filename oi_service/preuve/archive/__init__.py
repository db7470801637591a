"""The archive that an auditor takes away: how it is composed, and its standalone verifier."""
