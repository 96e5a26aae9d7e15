"""What a result can be held to: its files, its rules, its data, cells computed anew."""
