-- hold(id, group, worker, ttl_ms, insert, ...): keeps slots for running jobs. Only insert '1' may create one: a slot
-- that was released must not come back by a late beat. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 5 do
  local slots = prefix .. 'slots:' .. ARGV[i + 1]
  local member, ttl = ARGV[i] .. ':' .. ARGV[i + 2], tonumber(ARGV[i + 3])
  local until_ms = string.format('%.0f', now + ttl)
  if ARGV[i + 4] == '1' then
    redis.call('ZADD', slots, until_ms, member)
  else
    redis.call('ZADD', slots, 'XX', until_ms, member)
  end
  redis.call('PEXPIRE', slots, ttl * 4)
end
return 1
