"""What a change does, by what it is about; a file knows one matter."""
