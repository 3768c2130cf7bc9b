-- The reference of what scripts may use, made from the stubs in scripts/meta: for completion and hover on the page.
--
-- Modules are the stubs but for `policy`, whose classes are the facts and whose functions are the verdicts. Which
-- decisions have a fact or take a verdict is known to the engine: lib/facts/guard and lib/verdicts. Made once a VM.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local sys = require "gander.sys"
local guard = require "lib.facts.guard"
local stub = require "lib.reference.stub"
local verdicts = require "lib.verdicts"

local M = {}

local POLICY = "policy" -- the stub that facts and verdicts come from

-- "sys.fold(text: string) -> folded: string?, message: string?, code: string?"
local function signature(f)
  local params, returns = {}, {}
  for i, p in ipairs(f.params) do
    params[i] = p.name .. (p.optional and "?" or "") .. ": " .. p.type
  end
  for i, r in ipairs(f.returns) do
    returns[i] = (r.name and r.name .. ": " or "") .. r.type
  end
  local results = #returns > 0 and " -> " .. table.concat(returns, ", ") or ""
  return f.name .. "(" .. table.concat(params, ", ") .. ")" .. results
end

-- The sentence, then a line for each parameter and result that has one of its own.
local function doc_of(f)
  local lines = { f.doc ~= "" and f.doc or nil }
  for _, list in ipairs { f.params, f.returns } do
    for _, item in ipairs(list) do
      if item.doc ~= "" then lines[#lines + 1] = (item.name or item.type) .. ": " .. item.doc end
    end
  end
  return table.concat(lines, "\n")
end

local function describe(f)
  return { name = f.name, signature = f.signature or signature(f), doc = doc_of(f) }
end

local function module_of(parsed)
  local functions = json.array {}
  for i, f in ipairs(parsed.functions) do
    functions[i] = describe(f)
  end
  return { name = parsed.name, doc = parsed.doc, functions = functions }
end

-- The fields of a fact's type: those of the class it names, or of a table written out.
local function fields_of(field, classes)
  if classes[field.type] then return classes[field.type].fields end
  local fields = {}
  for name, optional, kind in (field.type:match "^{(.*)}$" or ""):gmatch "([%w_]+)(%??): ([^,]+)" do
    fields[#fields + 1] = { name = name, optional = optional == "?", type = kind, doc = field.doc }
  end
  return fields
end

local function add_facts(list, classes, fields, path, decisions)
  for _, field in ipairs(fields) do
    local takes = decisions or guard.decisions(field.name)
    list[#list + 1] = {
      name = path .. field.name,
      type = field.type .. (field.optional and "?" or ""),
      doc = field.doc,
      policies = json.array(takes),
    }
    add_facts(list, classes, fields_of(field, classes), path .. field.name .. ".", takes)
  end
end

local function facts_of(parsed)
  local classes, list = {}, json.array {}
  for _, class in ipairs(parsed.classes) do
    classes[class.name] = class
  end
  add_facts(list, classes, classes.Facts and classes.Facts.fields or {}, "", nil)
  return list
end

local function takers(verdict)
  local list = json.array {}
  for decision, takes in pairs(verdicts.TAKES) do
    if verdicts.contains(takes, verdict) then list[#list + 1] = decision end
  end
  table.sort(list)
  return list
end

local function verdicts_of(parsed)
  local list = json.array {}
  for i, f in ipairs(parsed.functions) do
    list[i] = describe(f)
    list[i].policies = takers(f.name)
  end
  return list
end

-- `texts` maps the path of a stub to its text. -> {modules, facts, verdicts} as the API shows them
function M.make(texts)
  local made = { modules = json.array {}, facts = json.array {}, verdicts = json.array {} }
  for _, text in pairs(texts) do
    local parsed = stub.parse(text)
    if parsed.name == POLICY then
      made.facts, made.verdicts = facts_of(parsed), verdicts_of(parsed)
    elseif parsed.name then
      table.insert(made.modules, module_of(parsed))
    end
  end
  table.sort(made.modules, function(a, b)
    return a.name < b.name
  end)
  return made
end

local cached -- a VM holds one generation

function M.get()
  if cached then return cached end
  local texts = {}
  for _, path in ipairs(sys.script_paths()) do
    if path:find "^meta/" then texts[path] = sys.scripts.text(path) end
  end
  cached = M.make(texts)
  return cached
end

return M
