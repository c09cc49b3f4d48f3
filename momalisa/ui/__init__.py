"""What the pages share: navigation, wall labels and the three small components."""
