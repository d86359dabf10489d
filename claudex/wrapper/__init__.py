"""What runs before `claude` does, at the speed of the interpreter itself."""
