"""The smallest program that shows each bug that random programs found."""
