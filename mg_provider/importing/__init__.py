"""`mg import`: what was made elsewhere, as an import file for Pulumi and as the program that goes with it."""
