-- SPDX-License-Identifier: MIT
-- Lua making and dropping objects: records of a few fields, strings, closures,
-- one table in sixteen kept for a while.
local rounds = tonumber(arg[1] or "60")
local keep, sum = {}, 0
for round = 1, rounds do
  for i = 1, 20000 do
    local node = { i, round, name = "n" .. (i % 512) }
    local add = function(x) return x + node[1] end
    for k = 1, 5 do sum = (sum * 31 + add(k)) % 1000003 end
    if i % 16 == 0 then keep[i % 4096 + 1] = node end
  end
  local parts = {}
  for i = 1, 2000 do parts[i] = round .. ":" .. i end
  for word in table.concat(parts, ","):gmatch("%d+:%d") do sum = sum + #word end
end
print(sum, #keep)
