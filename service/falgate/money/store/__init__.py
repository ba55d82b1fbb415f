"""Redis storage of budgets and the ledger, and checks that Redis has not lost any of it."""
