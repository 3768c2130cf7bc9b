-- The nearest known name to a mistyped one, for messages. Pure.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

-- Levenshtein distance of two short words.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local change = corner + (a:byte(i) == b:byte(j) and 0 or 1)
      row[j] = math.min(above + 1, row[j - 1] + 1, change)
      corner = above
    end
  end
  return row[#b]
end

-- -> the name that is at most half a word away, or nil
function M.of(word, names)
  word = tostring(word)
  local best, least = nil, #word // 2 + 1
  table.sort(names)
  for _, name in ipairs(names) do
    local d = #word <= 40 and distance(word, name) or least
    if d < least then
      best, least = name, d
    end
  end
  return best
end

function M.has(names, word)
  for _, name in ipairs(names) do
    if name == word then
      return true
    end
  end
  return false
end

return M
