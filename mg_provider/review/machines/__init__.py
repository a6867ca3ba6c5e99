"""What runs before, meanwhile and after, and what it costs."""
