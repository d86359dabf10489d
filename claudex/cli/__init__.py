"""The command line of claudex itself."""
