"""The rule sets that durward is measured against, and its own: each put into a namespace as its owner would."""
