VERSION = "1.2.0+independent.3"
