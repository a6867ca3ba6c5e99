"""Stack states: resources, their properties and what differs."""
