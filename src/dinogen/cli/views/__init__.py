"""What rich draws: a module for each view."""
