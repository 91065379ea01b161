-- release(worker, id, group, ...): frees slots and wakes the workers if somebody waits for one. Safe to repeat.
local prefix = string.sub(KEYS[1], 1, -(#'epoch' + 1))
local waiting = false
for i = 2, #ARGV, 2 do
  redis.call('ZREM', prefix .. 'slots:' .. ARGV[i + 1], ARGV[i] .. ':' .. ARGV[1])
  if redis.call('EXISTS', prefix .. 'ready:' .. ARGV[i + 1]) == 1 then waiting = true end
end
if waiting then redis.call('PUBLISH', prefix .. 'wake', '') end
return 1
