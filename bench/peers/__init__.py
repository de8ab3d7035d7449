"""What the package is measured against."""
