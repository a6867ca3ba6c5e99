"""What all commands of `mg` share: names of variables, one form of errors, exit codes, completion, help by topic."""
