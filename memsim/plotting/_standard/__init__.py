"""The standard figures of the field, each drawn from a data set; none of them simulates."""
