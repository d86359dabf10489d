"""What the set-up does, one concern a file."""
