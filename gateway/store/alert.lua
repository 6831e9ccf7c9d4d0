-- What a copy of an alert means: the table of routing/alerts.py (`arrive`, `expire`), for the atomic step.
-- tests/store/test_alert_lua.py holds the two together.
--
-- What is known of an alert is an array; `frev` and `erev` are the revisions since which it fires and of its end. `shown` is
-- there only where a hold of it has ended: the `frev` that somebody may have seen before, 0 for none.
local STATUS, START, LATEST, ENDED, ENDED_SEEN, UNTIL, SEEN, EXPIRED, RANK, FREV, EREV, SHOWN = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12

local function begin(k, start, till, t)
  k[STATUS], k[START], k[LATEST], k[UNTIL], k[SEEN], k[EXPIRED] = 'firing', start, start, till, t, 0
  return 'new'
end

local function believe(k, till, t)
  k[STATUS], k[UNTIL], k[SEEN], k[EXPIRED] = 'firing', till, t, 0
  return 'continued'
end

-- The deadline that counts: of several who post the same alert, whoever posts most seldom.
local function later(k, till) return till > 0 and math.max(k[UNTIL], till) or 0 end

-- Changes k and says what the copy is: new, continued, ended, repeated, suspected or recorded.
-- ended and till are 0 for none.
local function arrive(k, firing, start, ended, till, t, dedup)
  local status = k[STATUS]
  if firing then
    if status == '' then return begin(k, start, till, t) end
    if status == 'firing' then
      k[START], k[LATEST] = math.min(k[START], start), math.max(k[LATEST], start)
      k[UNTIL], k[SEEN] = later(k, till), t
      return 'repeated'
    end
    if status == 'dismissed' then
      if k[ENDED] > 0 and start > k[ENDED] then return begin(k, start, till, t) end
      k[SEEN], k[UNTIL] = t, later(k, till)
      return 'repeated'
    end
    if start > k[ENDED] then return begin(k, start, till, t) end
    if till == 0 and t - k[ENDED_SEEN] <= dedup.reorder then
      k[STATUS], k[SEEN] = 'suspect', t
      return 'suspected'
    end
    return believe(k, till, t)
  end
  if ended == 0 then ended = t end
  if status == '' then
    k[STATUS], k[START], k[LATEST], k[ENDED], k[ENDED_SEEN], k[SEEN] = 'resolved', start, start, ended, t, t
    return 'recorded'
  end
  if status == 'firing' or status == 'dismissed' then
    if ended < k[LATEST] or (k[UNTIL] > t and ended <= k[ENDED]) then
      k[SEEN] = t
      return 'recorded'
    end
    k[STATUS], k[ENDED], k[ENDED_SEEN], k[UNTIL], k[SEEN] = 'resolved', ended, t, 0, t
    return status == 'dismissed' and 'recorded' or 'ended' -- that it is over has been told
  end
  k[STATUS], k[ENDED], k[SEEN] = 'resolved', math.max(k[ENDED], ended), t
  return 'repeated'
end

-- When an absence would mean something; for an ended alert, when it is forgotten.
local function deadline(k, dedup)
  if k[STATUS] == 'firing' then
    if k[UNTIL] > 0 then return k[UNTIL] end
    return k[SEEN] + dedup.stale_after
  end
  if k[STATUS] == 'suspect' then return k[ENDED_SEEN] + dedup.confirm end
  if k[STATUS] == 'dismissed' then return k[ENDED_SEEN] + dedup.dismissed_for end
  return k[SEEN] + dedup.remember
end

-- What it means that the deadline of a firing or suspect alert has passed without a word.
local function expire(k, t, dedup)
  if k[STATUS] == 'suspect' then return believe(k, 0, t) end
  if k[STATUS] == 'dismissed' then
    if k[UNTIL] == 0 or k[UNTIL] > t then return believe(k, k[UNTIL], t) end
    k[STATUS], k[ENDED], k[ENDED_SEEN], k[UNTIL], k[EXPIRED] = 'resolved', k[UNTIL], t, 0, 1
    return 'recorded'
  end
  local ended = k[UNTIL] > 0 and k[UNTIL] or k[SEEN] + dedup.stale_after
  k[STATUS], k[ENDED], k[ENDED_SEEN], k[UNTIL], k[EXPIRED] = 'resolved', ended, t, 0, 1
  return 'ended'
end
