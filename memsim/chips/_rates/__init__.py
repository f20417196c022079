"""Networks of continuous values on chips that hold them as whole numbers."""
