-- KEYS: counts     ARGV: statement.     Counts frames that were sampled and dropped before any offer.
local _, unexplained = settle(KEYS[1], cjson.decode(ARGV[1]))
add(KEYS[1], 'dropped:redis', unexplained)
return 1
