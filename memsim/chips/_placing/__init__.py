"""What chips promise, and a network on one."""
