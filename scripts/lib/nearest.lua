-- The nearest known name, for messages: "did you mean …".
-- SPDX-License-Identifier: Apache-2.0

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local up = row[j]
      row[j] = math.min(up + 1, row[j - 1] + 1, corner + (a:byte(i) == b:byte(j) and 0 or 1))
      corner = up
    end
  end
  return row[#b]
end

-- `known` is a table whose keys are the names; nil when it is empty.
return function(name, known)
  local best, least
  for other in pairs(known) do
    local d = distance(name:sub(1, 64), other)
    if not least or d < least or (d == least and other < best) then
      best, least = other, d
    end
  end
  return best
end
