-- Known secret values are replaced by *** in whatever a sandbox said, before it is stored or shown.
--
-- A redactor is made from a list of values; those under 8 bytes are left alone, they would blot out ordinary words.
-- A value of several lines counts line by line as well, since logs come line by line. Where matches overlap, all of
-- them go. `split` serves streams: it holds back the end of a text for as long as it may be the beginning of a secret.
-- A secret that was transformed (encoded, reversed, cut up) is beyond this.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

M.LEAST = 8
local MARK = "***"
local Redactor = {}
Redactor.__index = Redactor

local function add(list, seen, value)
  if type(value) == "string" and #value >= M.LEAST and not seen[value] then
    seen[value] = true
    list[#list + 1] = value
  end
end

-- values: any list of strings; others in it are ignored
function M.new(values)
  local list, seen = {}, {}
  for _, value in ipairs(values) do
    add(list, seen, value)
    if type(value) == "string" and value:find("\n", 1, true) then
      for line in value:gmatch("[^\r\n]+") do
        add(list, seen, line)
      end
    end
  end
  table.sort(list, function(a, b)
    return #a > #b
  end)
  local first = {}
  for _, secret in ipairs(list) do
    first[#first + 1] = "%" .. secret:sub(1, 1)
  end
  -- "%x" of a letter would be a class, so letters and digits stand bare
  local set = table.concat(first):gsub("%%(%w)", "%1")
  return setmetatable({ list = list, starts = #list > 0 and "[" .. set .. "]" or nil }, Redactor)
end

-- The length of the longest secret that stands at position i, or 0.
local function match_at(list, text, i)
  for _, secret in ipairs(list) do
    if text:sub(i, i + #secret - 1) == secret then return #secret end
  end
  return 0
end

-- May a secret begin at i and go on beyond the text?
local function begins_at(list, text, i)
  local rest = #text - i + 1
  for _, secret in ipairs(list) do
    if #secret > rest and secret:sub(1, rest) == text:sub(i) then return true end
  end
  return false
end

-- Returns the redacted text and what is held back ("" when `final`).
local function scan(self, text, final)
  if not self.starts then return text, "" end
  local out, from, i = {}, 1, 1
  while true do
    i = text:find(self.starts, i)
    if not i then break end
    if not final and begins_at(self.list, text, i) then
      out[#out + 1] = text:sub(from, i - 1)
      return table.concat(out), text:sub(i)
    end
    local length = match_at(self.list, text, i)
    if length == 0 then
      i = i + 1
    else
      local stop, j = i + length - 1, i + 1
      local held
      while j <= stop do
        local more = match_at(self.list, text, j)
        if more > 0 then
          stop = math.max(stop, j + more - 1)
        elseif not final and begins_at(self.list, text, j) then
          held = true -- a second secret began inside the first and may go on: keep both back
          break
        end
        j = j + 1
      end
      out[#out + 1] = text:sub(from, i - 1)
      if held then return table.concat(out), text:sub(i) end
      out[#out + 1] = MARK
      from, i = stop + 1, stop + 1
    end
  end
  out[#out + 1] = text:sub(from)
  return table.concat(out), ""
end

function Redactor:text(text)
  return (scan(self, text, true))
end

-- For a text that will go on: what may be shown now, and what to put before the next piece.
function Redactor:split(text)
  return scan(self, text, false)
end

-- A copy of a value with every string in it redacted, names of members included.
function Redactor:value(value)
  if not self.starts then return value end
  if type(value) == "string" then
    return self:text(value)
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for k, v in pairs(value) do
    copy[type(k) == "string" and self:text(k) or k] = self:value(v)
  end
  return setmetatable(copy, getmetatable(value))
end

return M
