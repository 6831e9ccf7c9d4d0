-- view(prefix | gid) -> view
-- What a decision about a group is made from, for whoever holds no lease: the commit is fenced by the version.
--
-- KEYS[1]  the shard's prefix. Touches g, f, e, h, y, gd of the group; d of its deliveries.
return view(ARGV[1], now())
