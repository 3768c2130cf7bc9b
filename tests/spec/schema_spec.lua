-- lib/schema: every fault at once, by name. SPDX-License-Identifier: Apache-2.0
local S = require "lib.schema"
local json = require "gander.json"

local thing = S.object {
  name = S.string { min = 1, max = 5, trim = true },
  size = S.optional(S.integer { min = 1, max = 9 }),
  kind = S.string { enum = { "a", "b" }, default = "a" },
  env = S.optional(S.map(S.string {}, { key_pattern = "^[A-Z]+$" })),
  tags = S.optional(S.array(S.string {}, { max = 2 })),
}

local function rules(v)
  local _, faults = S.check(thing, v)
  local out = {}
  for i, f in ipairs(faults or {}) do
    out[i] = f.field .. ":" .. f.rule
  end
  return table.concat(out, " ")
end

return {
  ["a good value comes back trimmed, with defaults"] = function(t)
    t.eq(S.check(thing, { name = "  ab ", size = 3 }), { name = "ab", size = 3, kind = "a" })
  end,
  ["every fault is named at once"] = function(t)
    t.eq(rules { name = "", size = 10, kind = "c", extra = 1 }, "extra:unknown kind:enum name:min size:range")
  end,
  ["missing and null are told apart"] = function(t)
    t.eq(rules {}, "name:required")
    t.eq(rules { name = json.null }, "name:type")
  end,
  ["length counts characters, not bytes"] = function(t)
    t.eq(rules { name = "äöüßé" }, "")
    t.eq(rules { name = "äöüßéx" }, "name:max")
  end,
  ["nested places are named"] = function(t)
    t.eq(
      rules { name = "a", env = { ["x y"] = "1", OK = 5 }, tags = { "a", 7 } },
      "env.OK:type env.x y:pattern tags[1]:type"
    )
  end,
  ["a list is no object and an object no list"] = function(t)
    t.eq(rules { name = "a", env = { "x" }, tags = { a = 1 } }, "env:type tags:type")
  end,
  ["one_of shows the faults of the choice that fits best"] = function(t)
    local s = S.one_of { S.string { enum = { "allow" } }, S.object { allow = S.array(S.string {}) } }
    t.eq(S.check(s, "allow"), "allow")
    local _, faults = S.check(s, "deny")
    t.eq(faults[1].rule, "enum")
  end,
  ["query text becomes what the schema wants"] = function(t)
    local q = S.object { limit = S.integer { min = 1, max = 9, default = 5 }, on = S.optional(S.boolean()) }
    t.eq(S.from_text(q, { limit = "7", on = "true" }), { limit = 7, on = true })
    local _, faults = S.from_text(q, { limit = "x" })
    t.eq(faults[1].message, "must be an integer")
  end,
  ["describe gives JSON Schema"] = function(t)
    local d = S.describe(thing)
    t.eq(d.required, { "name" })
    t.eq(d.properties.size.maximum, 9)
    t.eq(d.additionalProperties, false)
  end,
}
