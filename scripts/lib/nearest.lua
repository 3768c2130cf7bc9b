-- nearest: the known name that is closest to a mistyped one, for messages ("did you mean …?"). Pure.
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
      row[j] = math.min(above + 1, row[j - 1] + 1, corner + (a:byte(i) == b:byte(j) and 0 or 1))
      corner = above
    end
  end
  return row[#b]
end

-- `known` has the names as its keys. -> the name that is at most half a word away, or nil
function M.of(word, known)
  word = tostring(word):sub(1, 64)
  local best, least = nil, #word // 2 + 1
  for name in pairs(known) do
    local d = distance(word, name)
    if d < least or (d == least and best and name < best) then
      best, least = name, d
    end
  end
  return best
end

return M
