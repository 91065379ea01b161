-- push(id, group, priority, delay_ms, ...): makes ids claimable, now or later. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 4 do
  local id, group, priority, delay = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local ready = prefix .. 'ready:' .. group
  local later = id .. ':' .. priority .. ':' .. group
  if delay <= 0 then
    redis.call('ZREM', prefix .. 'delayed', later)
    redis.call('ZADD', ready, 'NX', string.format('%.0f', priority * 8796093022208 + now), id)
    redis.call('SADD', prefix .. 'groups', group)
  elseif not redis.call('ZSCORE', ready, id) then
    redis.call('ZADD', prefix .. 'delayed', string.format('%.0f', now + delay), later)
  end
end
redis.call('PUBLISH', prefix .. 'wake', '')
return 1
