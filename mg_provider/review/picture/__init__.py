"""What a reader sees of a change beside the reasons: the fleet, and what differs in each resource."""
