-- SPDX-License-Identifier: MIT
-- Lua making and dropping objects, with as much work on each as programs do:
-- records that are filled, looked up, formatted and thrown away.
local rounds = tonumber(arg[1] or "60")
local keep, index, sum = {}, {}, 0
for round = 1, rounds do
  for i = 1, 8000 do
    local key = "n" .. (i % 512)
    local node = { id = i, round = round, name = key }
    local area = function(scale) return node.id * scale + round end
    for k = 1, 6 do sum = sum + area(k) % 7 end
    local seen = index[key]
    if seen then node.before = seen.id end
    if i % 16 == 0 then
      index[key] = node
      keep[i % 4096 + 1] = node
    end
    for k = 1, 40 do sum = (sum * 31 + k) % 1000003 end
  end
  local parts = {}
  for i = 1, 1000 do parts[i] = string.format("%d:%s", i, keep[i] and keep[i].name or "-") end
  local text = table.concat(parts, ",")
  for word in text:gmatch("%d+:n") do sum = sum + #word end
end
print(sum, #index, #keep)
