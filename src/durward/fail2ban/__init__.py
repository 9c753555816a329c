"""What fail2ban was told on this host, read from its configuration and said in durward's words. It changes nothing."""
