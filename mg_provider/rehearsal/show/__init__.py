"""What a person sees of a rehearsal."""
