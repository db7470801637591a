"""Operations: from the deposit of a dossier to its archive."""
