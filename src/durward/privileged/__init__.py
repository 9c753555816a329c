"""What needs a key: netlink sets, the rule set, opening sources. Only the enforcer imports it."""
