-- withdraw(id, group, owner, priority, ...): makes ids unclaimable. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
for i = 1, #ARGV, 4 do
  local member, group, owner, priority = ARGV[i] .. ':' .. ARGV[i + 2], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  redis.call('ZREM', prefix .. 'ready:' .. group, member)
  redis.call('ZREM', prefix .. 'delayed', member .. ':' .. priority .. ':' .. group)
  if owner ~= '' then redis.call('ZREM', prefix .. 'held:' .. owner, member .. ':' .. group) end
end
return 1
