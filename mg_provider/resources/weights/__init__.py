"""What a model is made of, and its check before machines are paid for."""
