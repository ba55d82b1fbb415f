"""What operators change, as the flow sees it. Without Redis, every method raises `Unavailable`."""
