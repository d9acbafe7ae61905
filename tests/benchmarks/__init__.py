"""The benchmarks themselves: that they start, and that what they count is counted right. Nothing is timed here."""
