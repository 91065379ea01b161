-- claim(epoch, worker, count, lease_ms, default_slots, group, slots, ...): proposes ids, each with a slot of its group.
-- Answers {"0"} when the epoch is not the expected one (Redis was lost), else {"1", next_ms, id, group, ...}, where
-- next_ms is how long until asking again can be worth it (-1: only after a wake).
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { '0' }
end
local worker, count, lease, default = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local limits = {}
for i = 6, #ARGV, 2 do
  limits[ARGV[i]] = tonumber(ARGV[i + 1])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local next_ms = -1
local function ask_in(ms)
  if ms < 0 then ms = 0 end
  if next_ms < 0 or ms < next_ms then next_ms = ms end
end

-- What has become due moves to its group.
local delayed = prefix .. 'delayed'
for _, member in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, 100)) do
  local id, priority, group = string.match(member, '^([^:]+):(%d+):(.*)$')
  if id then
    redis.call('ZADD', prefix .. 'ready:' .. group, 'NX', string.format('%.0f', priority * 8796093022208 + now), id)
    redis.call('SADD', prefix .. 'groups', group)
  end
  redis.call('ZREM', delayed, member)
end
local soonest = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if soonest[2] then ask_in(tonumber(soonest[2]) - now) end

-- Groups that have work and room, each with its first job.
local open = {}
for _, group in ipairs(redis.call('SMEMBERS', prefix .. 'groups')) do
  local ready, slots = prefix .. 'ready:' .. group, prefix .. 'slots:' .. group
  local head = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')
  if not head[1] then
    redis.call('SREM', prefix .. 'groups', group)
  else
    local blocked = redis.call('PTTL', prefix .. 'blocked:' .. group)
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    local room = (limits[group] or default) - redis.call('ZCARD', slots)
    if blocked > 0 then
      ask_in(blocked)
    elseif room <= 0 then
      local oldest = redis.call('ZRANGE', slots, 0, 0, 'WITHSCORES')
      if oldest[2] then ask_in(tonumber(oldest[2]) - now + 1) end
    else
      open[#open + 1] = { group = group, ready = ready, slots = slots, room = room, id = head[1], score = tonumber(head[2]) }
    end
  end
end

local answer = { '1', '' }
while count > 0 and #open > 0 do
  local best = 1
  for i = 2, #open do
    if open[i].score < open[best].score then best = i end
  end
  local pick = open[best]
  redis.call('ZREM', pick.ready, pick.id)
  redis.call('ZADD', pick.slots, string.format('%.0f', now + lease), pick.id .. ':' .. worker)
  redis.call('PEXPIRE', pick.slots, lease * 4)
  answer[#answer + 1] = pick.id
  answer[#answer + 1] = pick.group
  count = count - 1
  pick.room = pick.room - 1
  local head = redis.call('ZRANGE', pick.ready, 0, 0, 'WITHSCORES')
  if pick.room <= 0 or not head[1] then
    table.remove(open, best)
  else
    pick.id, pick.score = head[1], tonumber(head[2])
  end
end
answer[2] = string.format('%.0f', next_ms)
return answer
