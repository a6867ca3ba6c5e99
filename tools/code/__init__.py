"""What is written from the arguments: constructors, nested inputs, and the files of new projects."""
