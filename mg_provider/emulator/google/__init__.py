"""What Google says of its APIs: methods, shapes, errors."""
