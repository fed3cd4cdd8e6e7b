"""A trained model as one file: what is in it, writing it whole, reading it without trust."""
