"""The proof that the log was not altered: seal, tree, points, anchors, archive."""
