"""The commands, a module a subject: each reads its flags, asks the rooms below, and prints what they say."""
