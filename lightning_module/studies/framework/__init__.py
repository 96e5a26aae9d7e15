"""The frame that a study stands in: its cells, claims, figures and result. It knows no study and no method."""
