-- release(worker, id, group, owner, ...): frees places and wakes the workers if somebody waits for one. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
for i = 2, #ARGV, 3 do
  local member, group, owner = ARGV[i] .. ':' .. ARGV[1], ARGV[i + 1], ARGV[i + 2]
  redis.call('ZREM', prefix .. 'slots:group:' .. group, member)
  local family = string.match(group, '^([^/]+)/')
  if family then redis.call('ZREM', prefix .. 'slots:family:' .. family, member) end
  if owner ~= '' then
    redis.call('ZREM', prefix .. 'slots:owner:' .. owner, member)
    -- The next claim looks at who waits for this owner.
    redis.call('ZADD', prefix .. 'owners', 'XX', 0, owner)
  end
end
if redis.call('EXISTS', prefix .. 'groups', prefix .. 'owners') > 0 then redis.call('PUBLISH', prefix .. 'wake', '') end
return 1
