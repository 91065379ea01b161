-- clear(): forgets everything a rebuild writes anew, a thousand names at a time; answers how many were left to look at.
-- Pauses after a 429 and rates are kept: they are about the provider, not about our rows. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
redis.call('UNLINK', KEYS[1], prefix .. 'delayed')
local function forget(index, names)
  for _, member in ipairs(redis.call('ZRANGE', prefix .. index, 0, 999)) do
    for _, name in ipairs(names) do redis.call('UNLINK', prefix .. name .. member) end
    redis.call('ZREM', prefix .. index, member)
  end
  return redis.call('ZCARD', prefix .. index)
end
local left = forget('groups', { 'ready:', 'slots:group:' }) + forget('owners', { 'held:', 'slots:owner:' })
for i = 1, #ARGV, 2 do
  local group, owner = ARGV[i], ARGV[i + 1]
  redis.call('UNLINK', prefix .. 'ready:' .. group, prefix .. 'slots:group:' .. group)
  local family = string.match(group, '^([^/]+)/')
  if family then redis.call('UNLINK', prefix .. 'slots:family:' .. family) end
  if owner ~= '' then redis.call('UNLINK', prefix .. 'held:' .. owner, prefix .. 'slots:owner:' .. owner) end
end
return left
