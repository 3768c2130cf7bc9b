-- lib/reference: what the stubs say, as data; it agrees with the engine in both directions.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local guard = require "lib.facts.guard"
local reference = require "lib.reference"
local stub = require "lib.reference.stub"
local verdicts = require "lib.verdicts"

local function shipped()
  local texts = {}
  for _, path in ipairs(sys.script_paths()) do
    if path:find "^meta/" then texts[path] = assert(fs.read(sys.home .. "/scripts/" .. path)) end
  end
  return reference.make(texts)
end

local function by_name(list)
  local out = {}
  for _, item in ipairs(list) do
    assert(not out[item.name], item.name .. " is there twice")
    out[item.name] = item
  end
  return out
end

local function known_facts()
  local out = {}
  local function add(group, path)
    for name, below in pairs(group) do
      out[path .. name] = true
      if type(below) == "table" then add(below, path .. name .. ".") end
    end
  end
  add(guard.KNOWN, "")
  return out
end

return {
  ["every fact that the engine knows is in it, and no other"] = function(t)
    local have, want = by_name(shipped().facts), known_facts()
    for name in pairs(want) do
      t.ok(have[name], "the reference lacks the fact " .. name)
    end
    for name in pairs(have) do
      t.ok(want[name], "the engine knows no fact " .. name)
    end
  end,

  ["every verdict that a decision takes is in it, and no other"] = function(t)
    local have = by_name(shipped().verdicts)
    for decision, takes in pairs(verdicts.TAKES) do
      for _, verdict in ipairs(takes) do
        t.ok(have[verdict], "the reference lacks the verdict " .. verdict)
        t.ok(verdicts.contains(have[verdict].policies, decision), verdict .. " lacks " .. decision)
      end
    end
    for name, item in pairs(have) do
      t.ok(#item.policies > 0, "no decision takes " .. name)
    end
  end,

  ["facts and verdicts carry type, sentence and decisions"] = function(t)
    local made = shipped()
    local facts, said = by_name(made.facts), by_name(made.verdicts)
    t.eq(facts["attempt.n"], {
      name = "attempt.n",
      type = "integer?",
      doc = "failures so far, this one included",
      policies = json.array { "retry" },
    })
    t.eq(facts["counts.user"].type, "integer")
    t.eq(facts["usage.cpu_pct"].type, "number?")
    t.eq(facts["item.day"].policies, { "cleanup" })
    t.ok(verdicts.contains(facts["settings.idle_minutes"].policies, "idle"))
    t.eq(said.retry.signature, "retry(at_or_ms: number, reason: string) -> Verdict")
    t.ok(said.retry.doc:find "try again, after a wait")
    t.eq(said.stop.policies, { "health", "idle", "lifetime" })
  end,

  ["every binding has its module, with its functions"] = function(t)
    local modules = by_name(shipped().modules)
    for _, name in ipairs { "bus", "date", "follow", "fs", "http", "json", "log", "process", "sqlite", "sys" } do
      local module = t.ok(modules["gander." .. name], "there is no module gander." .. name)
      t.ok(#module.doc > 10, name .. " has no sentence")
      t.ok(#module.functions > 0, name .. " has no functions")
    end
    local functions = by_name(modules["gander.sys"].functions)
    t.eq(functions["sys.fold"].signature, "sys.fold(text: string) -> folded: string?, message: string?, code: string?")
    t.ok(functions["sys.fold"].doc:find('code: "invalid": bad UTF-8', 1, true))
    t.ok(functions["sys.scripts.publish"])
    local module = require "gander.sys"
    for name, value in pairs(module) do
      if type(value) == "function" then t.ok(functions["sys." .. name], "no stub of sys." .. name) end
    end
    for name in pairs(module.scripts) do
      t.ok(functions["sys.scripts." .. name], "no stub of sys.scripts." .. name)
    end
  end,

  ["types may hold blanks within brackets"] = function(t)
    local parsed = stub.parse [[
---@meta x
-- A module.
-- Of two lines.
-- SPDX-License-Identifier: none

--- Does it.
--- Well.
---@param f fun(a: integer, b?: string): table<string, any>? what it calls
---@param options? {wait: integer, on: boolean}
---@return boolean? true, or nil when there is none
---@return string? message why
function x.run(f, options) end
]]
    t.eq({ parsed.name, parsed.doc, #parsed.functions }, { "x", "A module. Of two lines.", 1 })
    local f = parsed.functions[1]
    t.eq({ f.name, f.doc }, { "x.run", "Does it. Well." })
    t.eq({ f.params[1].type, f.params[1].doc }, { "fun(a: integer, b?: string): table<string, any>?", "what it calls" })
    t.eq({ f.params[2].optional, f.params[2].type }, { true, "{wait: integer, on: boolean}" })
    t.eq({ f.returns[1].name, f.returns[1].doc }, { nil, "true, or nil when there is none" })
    t.eq({ f.returns[2].name, f.returns[2].doc }, { "message", "why" })
  end,
}
