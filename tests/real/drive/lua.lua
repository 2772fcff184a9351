-- SPDX-License-Identifier: MIT
-- What a Lua program does all day: tables, strings, closures, coroutines, and
-- the compiler itself. Prints only what does not depend on addresses or time.
local checks = 0
local function say(...) print(...) checks = checks + 1 end

local function tables(n)
  local list, hash, sum = {}, {}, 0
  for i = 1, n do
    list[i] = { id = i, name = "item" .. i, tags = { i % 7, i % 11 } }
    hash["key" .. i] = list[i]
  end
  for i = 1, n, 3 do hash["key" .. i] = nil end
  for _, v in ipairs(list) do sum = sum + v.tags[1] * v.tags[2] end
  table.sort(list, function(a, b) return a.tags[1] < b.tags[1] or (a.tags[1] == b.tags[1] and a.id < b.id) end)
  local left = 0
  for _ in pairs(hash) do left = left + 1 end
  say("tables", sum, list[1].name, list[n].name, left)
  local sparse = {}
  for i = 1, n do sparse[i * 1000] = i end
  local nested = sparse
  for i = 1, 50 do nested = { nested, i } end
  say("unpack", select("#", table.unpack(list, 1, 200)), table.concat({ 1, 2, 3 }, ","))
end

local function strings(n)
  local parts = {}
  for i = 1, n do parts[#parts + 1] = string.format("%05d:%s;", i, ("x"):rep(i % 60)) end
  local text = table.concat(parts)
  local count, hits = 0, 0
  for word in text:gmatch("%d+") do count = count + tonumber(word) end
  local changed = text:gsub("x+", function(run) hits = hits + 1 return #run end)
  say("strings", #text, count, hits, #changed, changed:sub(1, 40))
  local growing = ""
  for i = 1, 400 do growing = growing .. i .. "," end
  say("concat", #growing, growing:reverse():sub(1, 20), growing:upper():find("399", 1, true))
  local packed = string.pack("i4s2d", 42, growing:sub(1, 100), 0.5)
  say("pack", #packed, string.unpack("i4s2d", packed))
  say("long", #(("long string that is never interned "):rep(2000)))
end

local function closures(n)
  local kept = {}
  for i = 1, n do
    local a, b, c = i, i * 2, { i }
    kept[i] = function(d) a = a + d b = b + a c[1] = c[1] + b return a + b + c[1] end
  end
  local total = 0
  for round = 1, 3 do for i = 1, n do total = total + kept[i](round) end end
  local function counter() local v = 0 return function() v = v + 1 return v end, function() return v end end
  local bump, read = counter()
  for _ = 1, 10 do bump() end
  say("closures", total, read())
end

local function coroutines(n)
  local function generator(limit) return coroutine.wrap(function() for i = 1, limit do coroutine.yield(i) end end) end
  local sum = 0
  for i = 1, n do for v in generator(5) do sum = sum + v * i end end
  local threads = {}
  for i = 1, n do
    threads[i] = coroutine.create(function(a) local b = coroutine.yield(a + 1) error({ code = b }) end)
  end
  local failed = 0
  for i = 1, n do
    local _, v = coroutine.resume(threads[i], i)
    local ok, e = coroutine.resume(threads[i], v)
    if not ok then failed = failed + e.code end
  end
  say("coroutines", sum, failed, coroutine.status(threads[1]))
  local function depth(k) if k == 0 then return 0 end return 1 + depth(k - 1) end
  say("depth", depth(20000), pcall(string.rep, "x", -1))
end

local function compiler(n)
  local source = { "local t = {}", "goto start", "::start::", "do local i = 0 ::again:: i = i + 1 if i < 3 then goto again end end" }
  for i = 1, n do
    source[#source + 1] = ("t[%d] = function(a, b) local s = 'constant %d' while a do if b then break end a = nil end return s, %d.25, function() return a, b, t end end"):format(i, i, i)
  end
  source[#source + 1] = "local long = [[ a long\nbracket ]] return t, long"
  local text = table.concat(source, "\n")
  local chunk = assert(load(text))
  local t, long = chunk()
  say("compile", #t, t[n](1, 2), #long)
  local binary = string.dump(chunk)
  local again = assert(load(binary, "again", "b"))()
  say("dump", again[1](true, false), #again)
  say("strip", #string.dump(chunk, true) < #binary)
  local lines = debug.getinfo(tables, "L").activelines
  local active = 0
  for _ in pairs(lines) do active = active + 1 end
  say("lines", active, load("x = = 1", "=bad"))
end

local function objects(n)
  local mt = { __index = function(_, k) return k .. "!" end, __gc = function() end, __close = function() end }
  mt.__concat = function(a, b) return "joined" end
  local made = {}
  for i = 1, n do made[i] = setmetatable({}, mt) end
  do local x <close> = setmetatable({}, mt) say("objects", made[1].foo, made[1] .. made[2]) end
  local f = assert(io.tmpfile())
  for i = 1, n do f:write("line ", i, "\n") end
  f:seek("set")
  local bytes = 0
  for line in f:lines() do bytes = bytes + #line end
  f:seek("set")
  say("files", bytes, #f:read("a"))
  f:close()
  local weak = setmetatable({}, { __mode = "k" })
  for i = 1, n do weak[{}] = i end
  made = nil
  collectgarbage()
  say("weak", next(weak) == nil, math.type(3), utf8.char(228, 8364), utf8.len("äö"))
end

local scale = tonumber(arg[1] or "1")
for _ = 1, scale do
  tables(3000)
  strings(2500)
  closures(2500)
  coroutines(300)
  compiler(120)
  objects(500)
end
collectgarbage("generational")
closures(500)
collectgarbage("incremental")
say("done", checks)
