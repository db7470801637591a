"""The calculator: a case typed in, what the Fund owes bilan after bilan; nothing is stored."""
