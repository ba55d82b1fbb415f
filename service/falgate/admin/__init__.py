"""What operators change and look at: one service for REST and for the commands."""
