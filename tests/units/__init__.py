"""Small pure parts that stand by themselves."""
