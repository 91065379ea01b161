-- claim(epoch, worker, ticket, count, lease_ms, limits): proposes ids, each with its places taken.
-- Answers {"0"} when the epoch is not the expected one (Redis was lost), else {"1", next_ms, id, group, owner, ...},
-- where next_ms is how long until asking again can be worth it (-1: only after a wake). The same ticket again gets the
-- same answer: the first one may have been lost on the way.
--
-- limits is JSON: {slots, groups: {name: {slots, every_us, burst}}, families: {the same and member_slots}, owner_slots}. A
-- group named `family/member` also counts for its family, whose member_slots are its own where it has none.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { '0' }
end
local worker, ticket, count, lease = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local answered = prefix .. 'answer:' .. worker
local last = redis.call('GET', answered)
if last and string.sub(last, 1, #ticket) == ticket then
  return cjson.decode(string.sub(last, #ticket + 1))
end
local limits = cjson.decode(ARGV[6])
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local next_ms = -1
local function ask_in(ms)
  if ms < 0 then ms = 0 end
  if next_ms < 0 or ms < next_ms then next_ms = ms end
end

local function family_of(group) return string.match(group, '^([^/]+)/') end

-- What is free of a number of places, expired ones freed first. Looked up once per claim.
local rooms = {}
local function room(kind, name, most)
  if not most then return math.huge end
  local key = prefix .. 'slots:' .. kind .. ':' .. name
  if not rooms[key] then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    rooms[key] = most - redis.call('ZCARD', key)
    if rooms[key] <= 0 then
      local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
      if oldest[2] then ask_in(tonumber(oldest[2]) - now + 1) end
    end
  end
  return rooms[key]
end
local touched = {}
local function occupy(kind, name, member)
  local key = prefix .. 'slots:' .. kind .. ':' .. name
  local added = redis.call('ZADD', key, string.format('%.0f', now + lease), member)
  if not touched[key] then
    redis.call('PEXPIRE', key, lease * 4)
    touched[key] = true
  end
  if rooms[key] then rooms[key] = rooms[key] - added end
end

-- GCRA: the theoretical arrival time of the next start; a start may come `burst - 1` intervals before it.
-- https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
local arrivals = {}
local function wait_us(name, limit)
  if not limit or not limit.every_us then return 0 end
  if not arrivals[name] then arrivals[name] = math.max(tonumber(redis.call('GET', prefix .. 'rate:' .. name) or '0'), now_us) end
  return arrivals[name] - limit.every_us * (limit.burst - 1) - now_us
end
local function spend(name, limit)
  if not limit or not limit.every_us then return end
  arrivals[name] = arrivals[name] + limit.every_us
  local until_ms = math.ceil((arrivals[name] - now_us) / 1000) + 1
  redis.call('SET', prefix .. 'rate:' .. name, string.format('%.0f', arrivals[name]), 'PX', string.format('%.0f', until_ms))
end

-- The slots of a group, fewer for a while after it was refused again and again (see block.lua).
local function braked(group, slots)
  local left, at = string.match(redis.call('GET', prefix .. 'brake:' .. group) or '', '^(%d+) (%d+)$')
  if not left or now - at >= 600000 then return slots end
  return math.min(slots, left + math.floor((now - at) / 30000))
end

-- Whether a group may start something now; if not, when.
local blocks = {}
local function is_open(group)
  local family, limit = family_of(group), limits.groups[group]
  if not blocks[group] then
    blocks[group] = tonumber(redis.call('GET', prefix .. 'blocked:' .. group) or '0') - now
    if blocks[group] > 0 then ask_in(blocks[group]) end
  end
  if blocks[group] > 0 then return false end
  local of_family = family and limits.families[family]
  local slots = limit and limit.slots or of_family and of_family.member_slots or limits.slots
  if room('group', group, braked(group, slots)) <= 0 then return false end
  if of_family and room('family', family, of_family.slots) <= 0 then return false end
  local wait = wait_us('group:' .. group, limit)
  if of_family then wait = math.max(wait, wait_us('family:' .. family, of_family)) end
  if wait > 0 then
    ask_in(math.ceil(wait / 1000))
    return false
  end
  return true
end

-- What has become due moves to its group.
local delayed = prefix .. 'delayed'
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 100)
for i = 1, #due, 2 do
  local id, owner, priority, group = string.match(due[i], '^([^:]+):([^:]*):(%d+):(.*)$')
  if id then
    redis.call('ZADD', prefix .. 'ready:' .. group, 'NX', string.format('%.0f', due[i + 1] + priority * 1000), id .. ':' .. owner)
    redis.call('ZADD', prefix .. 'groups', 'NX', 0, group)
  end
  redis.call('ZREM', delayed, due[i])
end
local soonest = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if soonest[2] then ask_in(tonumber(soonest[2]) - now) end

-- Who waited for a place of its owner goes back to its group when there is one.
local owners = prefix .. 'owners'
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', owners, '-inf', now, 'LIMIT', 0, 100)) do
  local held, free = prefix .. 'held:' .. owner, room('owner', owner, limits.owner_slots)
  if free > 0 then
    local back = redis.call('ZRANGE', held, 0, math.min(free, 100) - 1, 'WITHSCORES')
    for i = 1, #back, 2 do
      local member, group = string.match(back[i], '^([^:]+:[^:]*):(.*)$')
      redis.call('ZADD', prefix .. 'ready:' .. group, 'NX', back[i + 1], member)
      redis.call('ZADD', prefix .. 'groups', 'NX', 0, group)
      redis.call('ZREM', held, back[i])
    end
  end
  if redis.call('EXISTS', held) == 0 then
    redis.call('ZREM', owners, owner)
  else
    local oldest = redis.call('ZRANGE', prefix .. 'slots:owner:' .. owner, 0, 0, 'WITHSCORES')
    redis.call('ZADD', owners, oldest[2] or now + lease, owner)
  end
end

-- Groups that have work and room, each with its first job. Of more groups than fit, those looked at longest ago.
local open = {}
local groups = prefix .. 'groups'
local crowded = redis.call('ZCARD', groups) > 64
for _, group in ipairs(redis.call('ZRANGE', groups, 0, 63)) do
  local ready = prefix .. 'ready:' .. group
  local head = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')
  if not head[1] then
    redis.call('ZREM', groups, group)
  else
    if crowded then
      redis.call('ZADD', groups, now_us, group)
      ask_in(20)
    end
    if is_open(group) then
      open[#open + 1] = { group = group, ready = ready, member = head[1], rank = tonumber(head[2]) }
    end
  end
end

local answer = { '1', '' }

-- The first job of a group starts, or waits for a place of its owner.
local function take(pick)
  local id, owner = string.match(pick.member, '^([^:]+):(.*)$')
  redis.call('ZREM', pick.ready, pick.member)
  if owner ~= '' and room('owner', owner, limits.owner_slots) <= 0 then
    redis.call('ZADD', prefix .. 'held:' .. owner, string.format('%.0f', pick.rank), pick.member .. ':' .. pick.group)
    local oldest = redis.call('ZRANGE', prefix .. 'slots:owner:' .. owner, 0, 0, 'WITHSCORES')
    redis.call('ZADD', owners, oldest[2] or now + lease, owner)
    return
  end
  local place, family = id .. ':' .. worker, family_of(pick.group)
  occupy('group', pick.group, place)
  spend('group:' .. pick.group, limits.groups[pick.group])
  if family then
    occupy('family', family, place)
    spend('family:' .. family, limits.families[family])
  end
  if owner ~= '' then occupy('owner', owner, place) end
  answer[#answer + 1] = id
  answer[#answer + 1] = pick.group
  answer[#answer + 1] = owner
  count = count - 1
end

-- A job that is held back for its owner costs a look, too.
local looks = count * 2 + 100
while count > 0 and looks > 0 and #open > 0 do
  local best = 1
  for i = 2, #open do
    if open[i].rank < open[best].rank then best = i end
  end
  local pick = open[best]
  -- Another group of its family may have taken the last place.
  local goes_on = is_open(pick.group)
  if goes_on then
    looks = looks - 1
    take(pick)
    local head = redis.call('ZRANGE', pick.ready, 0, 0, 'WITHSCORES')
    pick.member, pick.rank = head[1], tonumber(head[2])
    goes_on = head[1]
    if not goes_on then redis.call('ZREM', groups, pick.group) end
  end
  if not goes_on then table.remove(open, best) end
end
if looks == 0 then ask_in(0) end
answer[2] = string.format('%.0f', next_ms)
if #answer > 2 then redis.call('SET', answered, ticket .. cjson.encode(answer), 'PX', 10000) end
return answer
