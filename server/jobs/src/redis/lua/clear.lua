-- clear(group, ...): forgets everything before a rebuild, also of groups only Postgres knows. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local function forget(group)
  redis.call('UNLINK', prefix .. 'ready:' .. group, prefix .. 'slots:' .. group)
end
for _, group in ipairs(redis.call('SMEMBERS', prefix .. 'groups')) do forget(group) end
for _, group in ipairs(ARGV) do forget(group) end
redis.call('UNLINK', KEYS[1], prefix .. 'delayed', prefix .. 'groups')
return 1
