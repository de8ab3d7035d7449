"""What users wait for and pay for, beside what they would use instead: ratios and counts."""
