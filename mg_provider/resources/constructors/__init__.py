"""What a program calls: the constructor and the outputs of each resource, generated from its arguments and outputs."""
