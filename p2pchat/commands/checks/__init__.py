"""What ``doctor`` looks at: the machine, the home, the daemon. Each check is a function that gives one ``Verdict``."""
