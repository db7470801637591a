"""Audit of operations: what a controlling body finds, what is answered, and what follows.

Nothing here moves money. A finding that takes something away is followed up by facts of the
convention (a control of service fait opened again, an order to pay back, a withdrawal of certified
expenditure), and the follow-up only names them and checks that they take away enough.

Only what the OI receives, answers and does is here: what auditors do for themselves is elsewhere.
"""
