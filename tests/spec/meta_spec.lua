-- The reference is whole: what scripts can name and what scripts/meta says are the same.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local verdicts = require "lib.verdicts"

local function stub(name)
  local text, message = fs.read(sys.home .. "/scripts/meta/" .. name .. ".lua")
  return text or error(message)
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- "x", and "scripts.x" for what is in a table of functions.
local function live_names(module, prefix, names)
  for key, value in pairs(module) do
    local inner = type(value) == "table" and type(select(2, next(value))) == "function"
    if inner then
      live_names(value, prefix .. key .. ".", names)
    else
      names[prefix .. key] = true
    end
  end
  return names
end

-- The functions of a variable, and the fields of the class that it has.
local function stub_names(text, variable, class)
  local names = {}
  for name in text:gmatch("function " .. variable .. "[.:]([%w_.]+)%(") do
    names[name] = true
  end
  local fields = text:match("%-%-%-@class " .. class:gsub("%.", "%%.") .. "\n(.-)local ") or ""
  for name in fields:gmatch "%-%-%-@field ([%w_]+)" do
    names[name] = true
  end
  return names
end

local BINDINGS = { "bus", "date", "follow", "fs", "http", "json", "log", "process", "sqlite", "sys" }

-- The fields of a class in the stub, and of a type such as {id: string, name: string?}.
local function fields_of(text, type_)
  local names = {}
  local class = text:match("%-%-%-@class " .. type_ .. "\n(.-)\n\n")
  for name in (class or ""):gmatch "%-%-%-@field ([%w_]+)" do
    names[name] = true
  end
  for name in (type_:match "^{(.*)}$" or ""):gmatch "([%w_]+)%??:" do
    names[name] = true
  end
  return names
end

return {
  ["every binding has a stub, and every stub a binding"] = function(t)
    for _, name in ipairs(BINDINGS) do
      local live = live_names(require("gander." .. name), "", {})
      t.eq(sorted(live), sorted(stub_names(stub(name), name, "gander." .. name)), "gander." .. name)
    end
    for _, entry in ipairs(fs.list(sys.home .. "/scripts/meta")) do
      local name = stub(entry.name:gsub("%.lua$", "")):match "%-%-%-@meta gander%.(%w+)"
      t.ok(not name or verdicts.contains(BINDINGS, name), entry.name .. " is the stub of no binding")
    end
  end,
  ["every handle has its methods in a stub"] = function(t)
    local all = ""
    for _, name in ipairs(BINDINGS) do
      all = all .. stub(name)
    end
    for class, methods in pairs(t.handles()) do
      local name = class:match "^gander%.(%u%w+)$" -- a name in lower case is no script's business
      if name then
        t.ok(all:find("@class " .. class .. "\n", 1, true), class .. " is in no stub")
        table.sort(methods)
        t.eq(methods, sorted(stub_names(all, name, class)), class)
      end
    end
  end,
  ["every verdict has its constructor in a stub, and every constructor works"] = function(t)
    local text, taken, documented = stub "policy", {}, {}
    for _, list in pairs(verdicts.TAKES) do
      for _, name in ipairs(list) do
        taken[name] = true
      end
    end
    for name, args in text:gmatch "\nfunction ([%w_]+)%(([^)]*)%) end" do
      documented[name] = true
      local call = args:find "^reason" and "'because'" or "1, 'because'"
      local file = "return { decide = function() return " .. name .. "(" .. call .. ").verdict end }"
      t.eq(t.call({ ["policies/one.lua"] = file }, "policies/one#decide", 20000), '"' .. name .. '"')
    end
    t.eq(sorted(documented), sorted(taken))
  end,
  ["every fact is in a stub"] = function(t)
    local text = stub "policy"
    local known = require("lib.facts.guard").KNOWN
    t.eq(sorted(fields_of(text, "Facts")), sorted(known))
    for name, group in pairs(known) do
      local class, inline =
        text:match("%-%-%-@field " .. name .. " (%u%w+)"), text:match("%-%-%-@field " .. name .. " (%b{})")
      if type(group) == "table" and name ~= "settings" then
        t.eq(sorted(fields_of(text, class or inline)), sorted(group), name)
      end
    end
  end,
  ["what a policy sees besides them is Lua's pure library"] = function(t)
    local pure = { "os", "io", "require", "load", "setmetatable", "getmetatable", "coroutine", "rawset", "print" }
    for _, name in ipairs(pure) do
      local file = "return { decide = function() return " .. name .. " end }"
      local result, message = t.call({ ["policies/one.lua"] = file }, "policies/one#decide", 20000)
      t.eq(result, nil, name)
      t.ok(message:find("there is no '" .. name .. "' here", 1, true), message)
    end
  end,
}
