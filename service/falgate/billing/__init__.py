"""fal's own billing held against the ledger: each difference is posted, what was lost is found."""
