"""Moving an endpoint from one deployment to another: traffic in steps, probes, and the way back.

Nothing here knows Pulumi, or the arguments of a resource. Everything can be interrupted anywhere and repeated: what
is true is read from the cloud each time.
"""
