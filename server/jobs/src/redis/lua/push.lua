-- push(id, group, owner, priority, delay_ms, ...): makes ids claimable, now or later. A negative delay says for how long
-- the job has been due. Safe to repeat.
--
-- The rank of a due job is the instant it became due plus a second per step of priority: so every step is worth a
-- second of waiting, and nobody waits for ever behind the more important.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 5 do
  local id, group, owner, priority, delay = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local ready, member = prefix .. 'ready:' .. group, id .. ':' .. owner
  local later = member .. ':' .. priority .. ':' .. group
  if owner ~= '' and redis.call('ZSCORE', prefix .. 'held:' .. owner, member .. ':' .. group) then
    -- Held back for its owner's limit, it is claimable already.
    redis.call('ZREM', prefix .. 'delayed', later)
  elseif delay <= 0 then
    redis.call('ZREM', prefix .. 'delayed', later)
    redis.call('ZADD', ready, 'NX', string.format('%.0f', now + delay + priority * 1000), member)
    redis.call('ZADD', prefix .. 'groups', 'NX', 0, group)
  elseif not redis.call('ZSCORE', ready, member) then
    redis.call('ZADD', prefix .. 'delayed', string.format('%.0f', now + delay), later)
  end
end
redis.call('PUBLISH', prefix .. 'wake', '')
return 1
