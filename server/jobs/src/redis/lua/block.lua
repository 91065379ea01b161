-- block(group, pause_ms, slots): nothing of the group is claimed for this long. A group that is refused again within ten
-- minutes of the last time gets half of its slots, then one more every 30 s (see claim.lua). Refusals during a pause are
-- echoes of the first: safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local group, pause, slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = math.floor((time[1] * 1000000 + time[2]) / 1000)
local blocked, brake = prefix .. 'blocked:' .. group, prefix .. 'brake:' .. group
local until_ms = tonumber(redis.call('GET', blocked) or '0')
if until_ms <= now then
  local left, at = string.match(redis.call('GET', brake) or '', '^(%d+) (%d+)$')
  if left and now - at < 600000 then
    slots = math.max(1, math.floor(math.min(slots, left + math.floor((now - at) / 30000)) / 2))
  end
  redis.call('SET', brake, string.format('%d %.0f', slots, now), 'PX', 600000)
end
if now + pause > until_ms then
  redis.call('SET', blocked, string.format('%.0f', now + pause), 'PX', pause + 60000)
end
return 1
