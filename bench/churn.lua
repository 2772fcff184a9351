-- SPDX-License-Identifier: MIT
-- The allocator's bad day in Lua: short-lived tables, strings and closures.
local rounds = tonumber(arg[1] or "60")
local keep, sum = {}, 0
for round = 1, rounds do
  for i = 1, 20000 do
    local node = { i, round, name = "n" .. (i % 512) }
    local add = function(x) return x + node[1] end
    sum = sum + add(round)
    if i % 16 == 0 then keep[i % 4096 + 1] = node end
  end
  local parts = {}
  for i = 1, 2000 do parts[i] = round .. ":" .. i end
  sum = sum + #table.concat(parts, ",")
end
print(sum, #keep)
