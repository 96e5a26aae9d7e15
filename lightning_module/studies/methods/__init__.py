"""Methods that several studies or notebooks use and no study owns. None of them knows a claim."""
