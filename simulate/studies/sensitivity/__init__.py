"""What an endpoint of a scenario depends on."""
