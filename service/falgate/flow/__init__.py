"""The order of effects: what happens to a request, seen through ports only."""
