-- hold(id, group, owner, worker, ttl_ms, insert, ...): keeps the places of running jobs. Only insert '1' may create one:
-- a place that was released or has run out must not come back by a late beat. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 6 do
  local group, owner, ttl = ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 4])
  local member, until_ms = ARGV[i] .. ':' .. ARGV[i + 3], string.format('%.0f', now + ttl)
  local function keep(key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    if ARGV[i + 5] == '1' then
      redis.call('ZADD', key, until_ms, member)
    else
      redis.call('ZADD', key, 'XX', until_ms, member)
    end
    redis.call('PEXPIRE', key, ttl * 4)
  end
  keep(prefix .. 'slots:group:' .. group)
  local family = string.match(group, '^([^/]+)/')
  if family then keep(prefix .. 'slots:family:' .. family) end
  if owner ~= '' then keep(prefix .. 'slots:owner:' .. owner) end
end
return 1
