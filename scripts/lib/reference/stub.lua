-- Reads a stub of scripts/meta: the comments of the Lua language server, as data. Pure.
--
-- Knows what the stubs use: @meta, @class, @field, @param, @return, @overload, free text before them, and the function
-- head that ends a block. Other marks are passed over.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local WORDS = { ["true"] = true, ["false"] = true, ["nil"] = true } -- begin a sentence, never name a result

local function is_name(word)
  return word == "..." or word:find "^[%a_][%w_]*$" ~= nil and not WORDS[word]
end

-- "fun(a: integer): string? the rest" -> "fun(a: integer): string?", "the rest". A type ends at the first blank outside
-- of brackets that follows no ":", "," or "|".
local function take_type(text)
  local depth = 0
  for at = 1, #text do
    local c = text:sub(at, at)
    if c:find "[%(%[{<]" then
      depth = depth + 1
    elseif c:find "[%)%]}>]" then
      depth = depth - 1
    elseif c == " " and depth == 0 and not text:sub(at - 1, at - 1):find "[:,|]" then
      return text:sub(1, at - 1), text:sub(at + 1):match "^%s*(.-)$"
    end
  end
  return text, ""
end

-- "name? type what it is" -> {name, optional, type, doc}
local function take_named(text)
  local name, optional, rest = text:match "^(%S-)(%??)%s+(.*)$"
  if not name then return { name = text, optional = false, type = "any", doc = "" } end
  local kind, doc = take_type(rest)
  return { name = name, optional = optional == "?", type = kind, doc = doc }
end

-- "string? code what it says" -> {name, type, doc}
local function take_return(text)
  local kind, rest = take_type(text)
  local name, doc = rest:match "^(%S+)%s*(.*)$"
  if name and is_name(name) then return { name = name, type = kind, doc = doc } end
  return { type = kind, doc = rest }
end

local MARKS = {
  class = function(block, text)
    block.class = { name = text:match "^[%w_.]+", doc = "", fields = {} }
  end,
  field = function(block, text)
    if block.class then table.insert(block.class.fields, take_named(text)) end
  end,
  param = function(block, text)
    table.insert(block.params, take_named(text))
  end,
  ["return"] = function(block, text)
    table.insert(block.returns, take_return(text))
  end,
  overload = function(block, text)
    block.overload, block.overload_doc = take_type(text)
  end,
}

local function new_block()
  return { text = {}, params = {}, returns = {} }
end

local function add_line(block, line)
  local mark, rest = line:match "^@(%a+)%s*(.*)$"
  if mark and MARKS[mark] then
    MARKS[mark](block, rest)
  elseif not mark and line ~= "" then
    table.insert(block.text, line)
  end
end

-- A class that can be called: log("info", …). The overload is a function by the name of the class.
local function add_class(stub, block)
  block.class.doc = table.concat(block.text, " ")
  table.insert(stub.classes, block.class)
  if block.overload then
    local parameters, results = block.overload:match "^fun%((.*)%):?%s*(.*)$"
    table.insert(stub.functions, {
      name = block.class.name,
      doc = block.overload_doc,
      params = {},
      returns = {},
      signature = block.class.name .. "(" .. parameters .. ")" .. (results ~= "" and " -> " .. results or ""),
    })
  end
end

local function end_block(stub, block, line)
  local name = line:match "^function ([%w_.:]+)%("
  if block.class then
    add_class(stub, block)
  elseif name then
    local doc = table.concat(block.text, " ")
    table.insert(stub.functions, { name = name, doc = doc, params = block.params, returns = block.returns })
  end
end

-- -> {name, doc, classes = {{name, doc, fields = {{name, optional, type, doc}}}},
--     functions = {{name, doc, params = {as fields}, returns = {{name?, type, doc}}, signature?}}}
function M.parse(text)
  local head, block = {}, new_block()
  local stub = { classes = {}, functions = {} }
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local comment = line:match "^%-%-%-%s*(.-)%s*$"
    local plain = line:match "^%-%-%s+(.-)%s*$"
    local name = comment and comment:match "^@meta%s+(%S+)$"
    if name then
      stub.name = name
    elseif comment then
      add_line(block, comment)
    elseif plain then
      if not plain:find "^SPDX" then table.insert(head, plain) end
    else
      end_block(stub, block, line)
      block = new_block()
    end
  end
  stub.doc = table.concat(head, " ")
  return stub
end

return M
