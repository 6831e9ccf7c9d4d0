"""The simulator at work: a configuration and what happens to it, told beforehand."""
