"""What is written into the documents, the site and the help."""
