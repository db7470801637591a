"""Working files of an auditor: populations, draws, working notes, kept apart from the OI's acts."""
