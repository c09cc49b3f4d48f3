"""How a walk's frames are made: knows no model family, no database, no screen."""
