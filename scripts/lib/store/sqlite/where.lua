-- Conditions as SQL.
--
-- A declared field is an expression on the JSON text, the same one as in its index; its type is sure (shape.lua), so
-- conditions on it mean exactly the same in SQL. Conditions on free fields are left to match.lua: then `exact` is
-- false and the SQL only narrows the choice.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local shape = require "lib.store.shape"

local M = {}

local COMPARE = { ["$gt"] = ">", ["$gte"] = ">=", ["$lt"] = "<", ["$lte"] = "<=" }

local function json_path(field)
  return '$."' .. field:gsub("%.", '"."') .. '"'
end

-- The SQL expression of a declared field.
function M.expression(collection, field)
  if field == "_id" then return "_id" end
  local path = json_path(field)
  if shape.type_of(collection, field) == "date" then path = path .. '."$date"' end
  return ("json_extract(doc,'%s')"):format(path)
end

-- The smallest string that is greater than all with this prefix, or nil when there is none.
local function after_prefix(prefix)
  while #prefix > 0 do
    local at = utf8.offset(prefix, -1)
    local code = utf8.codepoint(prefix, at)
    prefix = prefix:sub(1, at - 1)
    if code < 0x10FFFF then return prefix .. utf8.char(code == 0xD7FF and 0xE000 or code + 1) end
  end
  return nil
end

local function equals(e, kind, value, params)
  if value == json.null then return e .. " IS NULL" end
  if not shape.is_operand(kind, value) then return "0" end
  params[#params + 1] = value
  return e .. "=?"
end

-- The list is one parameter, so that its length does not make another statement.
local function is_one_of(e, kind, list, params)
  local known, null = {}, false
  for _, value in ipairs(list) do
    if value == json.null then
      null = true
    elseif shape.is_operand(kind, value) then
      if kind == "date" then value = value.ms end
      if kind == "integer" then value = math.tointeger(value) end -- 1.5 is none of them
      known[#known + 1] = value
    end
  end
  local sql = "0"
  if #known > 0 then
    params[#params + 1] = json.encode(known)
    sql = e .. " IN (SELECT value FROM json_each(?))"
  end
  return null and ("(%s OR %s IS NULL)"):format(sql, e) or sql
end

local function has_prefix(e, prefix, params)
  params[#params + 1] = prefix
  local past = after_prefix(prefix)
  if not past then return e .. ">=?" end
  params[#params + 1] = past
  return ("(%s>=? AND %s<?)"):format(e, e)
end

-- One condition on a declared field; nil when it is left to match.lua.
local function condition(collection, node, params)
  local kind = shape.type_of(collection, node.path)
  if not kind then return nil end
  local e, value = M.expression(collection, node.path), node.value
  if node.op == "$eq" then return equals(e, kind, value, params) end
  if node.op == "$ne" then return ("(%s) IS NOT TRUE"):format(equals(e, kind, value, params)) end
  if node.op == "$in" or node.op == "$nin" then
    local sql = is_one_of(e, kind, value, params)
    return node.op == "$in" and sql or ("(%s) IS NOT TRUE"):format(sql)
  end
  if COMPARE[node.op] then
    if value == json.null then return COMPARE[node.op]:find "=" and e .. " IS NULL" or "0" end
    if not shape.is_operand(kind, value) then return "0" end
    params[#params + 1] = value
    return e .. COMPARE[node.op] .. "?"
  end
  if node.op == "$exists" then
    if node.path == "_id" then return node.value and "1" or "0" end
    return ("json_type(doc,'%s') IS %sNULL"):format(json_path(node.path), value and "NOT " or "")
  end
  if kind ~= "string" then return "0" end
  if value:find("\0", 1, true) then return "0" end
  if node.op == "$prefix" then return has_prefix(e, value, params) end
  params[#params + 1] = value
  return ("instr(lower(%s),lower(?))>0"):format(e)
end

-- The WHERE text of a query tree (nil: no narrowing) and whether it is exact; its values go to `params`.
function M.where(collection, node, params)
  if node.op ~= "$and" and node.op ~= "$or" then
    local sql = condition(collection, node, params)
    return sql, sql ~= nil
  end
  local parts, exact, before = {}, true, #params
  for _, child in ipairs(node) do
    local sql, child_exact = M.where(collection, child, params)
    exact = exact and child_exact
    if sql then
      parts[#parts + 1] = sql
    elseif node.op == "$or" then
      for i = #params, before + 1, -1 do
        params[i] = nil -- the values of the branches before
      end
      return nil, false
    end
  end
  if #parts == 0 then return nil, exact end
  return "(" .. table.concat(parts, node.op == "$and" and " AND " or " OR ") .. ")", exact
end

return M
