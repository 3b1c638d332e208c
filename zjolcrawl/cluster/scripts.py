"""What must happen in Redis in one step, in Lua.

Keys of all processes, `G`:

    workers        sorted set: worker -> its last beat, ms
    beat:WORKER    how many beats it made
    host:HOST      hash: `next`, when the host may be asked again, ms; `delay` between two requests, ms
    busy:HOST      sorted set: turn (`WORKER|number`) -> when it ends by itself, ms
    quiet          exists while no turns are given: Redis has lost who holds some

Keys of one crawl, `C`:

    epoch          which crawl this is; over:EPOCH says that it has ended
    members        set of its workers
    leader         the worker that gives the start links and looks after the dead
    started        exists once all start links were given
    seen           set of every id that was ever queued
    orders         hash: id -> order (JSON with at least id, host and rank), of those that wait
    queue:HOST     sorted set: id -> rank, of those that wait; hosts: sorted set, host -> from when on
    taken:WORKER   hash: id -> order, of those that it has taken and that are not durable yet

One Redis holds them all: names are made in the scripts, so a Redis Cluster will not do.
"""

from __future__ import annotations

_PRELUDE = """
local G, C, me, lease = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function alive(worker)
  local beat = call('ZSCORE', G .. 'workers', worker)
  return beat and tonumber(beat) > now - lease
end

local function queue(id, text)
  local order = cjson.decode(text)
  call('ZADD', C .. 'queue:' .. order.host, order.rank, id)
  call('HSET', C .. 'orders', id, text)
  call('ZADD', C .. 'hosts', 'NX', now, order.host)
end

local function bring_back(worker, but)
  local had = call('HGETALL', C .. 'taken:' .. worker)
  for i = 1, #had, 2 do
    if not but[had[i]] then queue(had[i], had[i + 1]) end
  end
  call('DEL', C .. 'taken:' .. worker)
end

local function forget()
  for _, host in ipairs(call('ZRANGE', C .. 'hosts', 0, -1)) do call('DEL', C .. 'queue:' .. host) end
  for _, each in ipairs(call('SMEMBERS', C .. 'members')) do call('DEL', C .. 'taken:' .. each) end
  call('DEL', C .. 'epoch', C .. 'members', C .. 'leader', C .. 'started', C .. 'seen',
       C .. 'orders', C .. 'hosts')
end

local function standing(epoch)
  if call('EXISTS', C .. 'over:' .. epoch) == 1 then return 'over' end
  if call('GET', C .. 'epoch') ~= epoch then return 'lost' end
  return 'open'
end
"""

# beats so far -> 1, or 0 where Redis does not remember them all.
_BEAT = """
local beats = tonumber(ARGV[3])
local last = tonumber(call('GET', G .. 'beat:' .. me) or -1)
call('ZADD', G .. 'workers', now, me)
call('ZREMRANGEBYSCORE', G .. 'workers', '-inf', now - 86400000)
call('SET', G .. 'beat:' .. me, beats + 1, 'PX', 86400000)
return (beats == 0 or last >= beats) and 1 or 0
"""

# quiet for ms (0: not), then host and turn of all that I hold.
_REGAIN = """
if tonumber(ARGV[3]) > 0 then call('SET', G .. 'quiet', me, 'PX', ARGV[3]) end
for i = 4, #ARGV, 2 do call('ZADD', G .. 'busy:' .. ARGV[i], 'NX', now + 4 * lease, ARGV[i + 1]) end
return 1
"""

_QUIT = """
call('ZREM', G .. 'workers', me)
call('DEL', G .. 'beat:' .. me)
return 1
"""

# host, concurrency, delay (ms) of a host that is not known, longest turn (ms), then turns that are wanted
# -> ms to wait (-1: busy; -2: who are you?), then those that are given
_ENTER = """
local host, most, delay, longest = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if not alive(me) then return {-2} end
local quiet = call('PTTL', G .. 'quiet')
if quiet > 0 then return {quiet} end
local busy, key, found, wait = G .. 'busy:' .. host, G .. 'host:' .. host, {}, 0
call('ZREMRANGEBYSCORE', busy, '-inf', now)
for _, each in ipairs(call('ZRANGE', busy, 0, -1)) do
  if not alive(string.match(each, '^[^|]+')) then call('ZREM', busy, each) end
end
local after = tonumber(call('HGET', key, 'next') or 0)
delay = math.ceil(tonumber(call('HGET', key, 'delay') or delay))
for i = 7, #ARGV do
  if not call('ZSCORE', busy, ARGV[i]) then  -- else an answer was lost
    wait = after > now and after - now or call('ZCARD', busy) < most and 0 or -1
    if wait ~= 0 then break end
    call('ZADD', busy, now + longest, ARGV[i])
    after = now + delay
  end
  found[#found + 1] = ARGV[i]
end
call('HSET', key, 'next', after)
call('PEXPIRE', key, 3600000)
call('PEXPIRE', busy, 2 * longest)
return {wait, unpack(found)}
"""

# host, turn, then, where the delay follows the latency: delay of a host that is not known, target of
# the delay, least, most (all ms), 1 if a short latency means something.
_LEAVE = """
local host, turn, key = ARGV[3], ARGV[4], G .. 'host:' .. ARGV[3]
call('ZREM', G .. 'busy:' .. host, turn)
if not ARGV[5] then return 1 end
local old = tonumber(call('HGET', key, 'delay') or ARGV[5])
local target, least, most = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local new = math.min(math.max(least, target, (old + target) / 2), most)
if ARGV[9] == '1' or new > old then call('HSET', key, 'delay', new) end
call('PEXPIRE', key, 3600000)
return 1
"""

# epoch, how (fresh: I begin; mend: I was away; lost: Redis has forgotten something), then id and order
# of all that I hold -> the epoch that is, or `over`
_JOIN = """
local mine, how = ARGV[3], ARGV[4]
if how ~= 'fresh' and call('EXISTS', C .. 'over:' .. mine) == 1 then return 'over' end
local epoch = call('GET', C .. 'epoch')
if epoch and how == 'fresh' then
  local somebody = false
  for _, each in ipairs(call('SMEMBERS', C .. 'members')) do somebody = somebody or alive(each) end
  if not somebody then epoch = false end
end
if not epoch then
  forget()
  epoch = mine
  call('SET', C .. 'epoch', epoch)
end
if how == 'lost' then call('DEL', C .. 'started') end
local held = {}
for i = 5, #ARGV, 2 do held[ARGV[i]] = ARGV[i + 1] end
bring_back(me, held)
for id, text in pairs(held) do
  call('SADD', C .. 'seen', id)
  call('ZREM', C .. 'queue:' .. cjson.decode(text).host, id)
  call('HDEL', C .. 'orders', id)
  call('HSET', C .. 'taken:' .. me, id, text)
end
call('SADD', C .. 'members', me)
return epoch
"""

# epoch, then id and order of each -> standing; nothing is done unless it is open
_PUSH = """
local standing = standing(ARGV[3])
if standing ~= 'open' then return standing end
for i = 4, #ARGV, 2 do
  if call('SADD', C .. 'seen', ARGV[i]) == 1 then queue(ARGV[i], ARGV[i + 1]) end
end
return standing
"""

# epoch, how many, delay (ms) of a host that is not known, most of one host, then host and number of
# what I have of it already -> standing, how many wait, ms until a host can be asked, orders …
_TAKE = """
local epoch, wanted, delay, most = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local standing, found, have = standing(epoch), {}, {}
if standing ~= 'open' then return {standing, 0, -1} end
call('SADD', C .. 'members', me)  -- again, if it was so slow that it was taken for dead
for i = 7, #ARGV, 2 do have[ARGV[i]] = tonumber(ARGV[i + 1]) end
local hosts = call('ZRANGE', C .. 'hosts', '-inf', now, 'BYSCORE', 'LIMIT', 0, wanted + (#ARGV - 6) / 2)
for _, host in ipairs(hosts) do
  local key = C .. 'queue:' .. host
  local pause = tonumber(call('HGET', G .. 'host:' .. host, 'delay') or delay)
  local left = math.min(most - (have[host] or 0), wanted - #found, pause > 0 and 1 or wanted)
  if left > 0 then
    local ids = call('ZPOPMIN', key, left)
    for i = 1, #ids, 2 do
      local text = call('HGET', C .. 'orders', ids[i])
      call('HDEL', C .. 'orders', ids[i])
      call('HSET', C .. 'taken:' .. me, ids[i], text)
      found[#found + 1] = text
    end
    if call('EXISTS', key) == 0 then call('ZREM', C .. 'hosts', host)
    elseif pause > 0 then call('ZADD', C .. 'hosts', now + pause, host) end
  end
  if #found >= wanted then break end
end
local first = call('ZRANGE', C .. 'hosts', 0, 0, 'WITHSCORES')
local wait = first[2] and math.max(0, math.ceil(tonumber(first[2]) - now)) or -1
return {standing, call('HLEN', C .. 'orders'), wait, unpack(found)}
"""

# ids that are durable
_DONE = """
for i = 3, #ARGV do call('HDEL', C .. 'taken:' .. me, ARGV[i]) end
return 1
"""

# epoch -> standing, 1 if I lead, 1 if the start links were given or must wait, how many wait
_LEAD = """
local standing = standing(ARGV[3])
if standing ~= 'open' then return {standing, 0, 1, 0} end
local leader = call('GET', C .. 'leader')
if leader and leader ~= me and alive(leader) then return {standing, 0, 1, 0} end
call('SET', C .. 'leader', me)
for _, each in ipairs(call('SMEMBERS', C .. 'members')) do
  if not alive(each) then
    bring_back(each, {})
    call('SREM', C .. 'members', each)
  end
end
local done = call('EXISTS', C .. 'started') + call('EXISTS', G .. 'quiet')
return {standing, 1, done > 0 and 1 or 0, call('HLEN', C .. 'orders')}
"""

# epoch: its start links were all given
_STARTED = """
if standing(ARGV[3]) == 'open' and call('GET', C .. 'leader') == me then call('SET', C .. 'started', me) end
return 1
"""

# epoch -> standing; the crawl is over once nothing waits and nobody holds anything
_CLOSE = """
local standing = standing(ARGV[3])
if standing ~= 'open' or call('EXISTS', C .. 'started') == 0 or call('EXISTS', C .. 'orders') == 1 then
  return standing
end
for _, each in ipairs(call('SMEMBERS', C .. 'members')) do
  if call('EXISTS', C .. 'taken:' .. each) == 1 then return standing end
end
forget()
call('SET', C .. 'over:' .. ARGV[3], me, 'PX', 3600000)
return 'over'
"""

# what I had taken is there for others
_PART = """
bring_back(me, {})
call('SREM', C .. 'members', me)
if call('GET', C .. 'leader') == me then call('DEL', C .. 'leader') end
return 1
"""

SCRIPTS = {
    name: _PRELUDE + text
    for name, text in {
        "beat": _BEAT, "regain": _REGAIN, "quit": _QUIT, "enter": _ENTER, "leave": _LEAVE,
        "join": _JOIN, "push": _PUSH, "take": _TAKE, "done": _DONE, "lead": _LEAD,
        "started": _STARTED, "close": _CLOSE, "part": _PART,
    }.items()
}  # fmt: skip
"""By name; the first two arguments of each are the worker and its lease in ms."""
