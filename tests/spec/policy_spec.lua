-- lib/policy and the shipped policies: contract, tests, order, faults, facts.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local guard = require "lib.facts.guard"
local policy = require "lib.policy"

local function facts(more)
  local out = { now = 0, random = 0.5, settings = {}, counts = { total = 0, user = 0, provider = 0 }, idle_ms = 0 }
  for name, value in pairs(more or {}) do
    out[name] = value
  end
  return out
end

-- Run fn while the decide of a shipped policy is another.
local function with_decide(module, decide, fn)
  local file = require(module)
  local own = file.decide
  file.decide = decide
  local ok, message = pcall(fn)
  file.decide = own
  if not ok then error(message, 0) end
end

return {
  ["every shipped rule keeps its contract and passes its tests"] = function(t)
    local seen = 0
    for _, path in ipairs(sys.script_paths()) do
      if path:find "^policies/" or path:find "^cleanup/" then
        seen = seen + 1
        t.eq(policy.check(path), {}, path)
      end
    end
    t.ok(seen >= 8)
  end,

  ["the first answer by order decides and names its place"] = function(t)
    local v = policy.decide("admission", facts { counts = { total = 99, user = 99, provider = 99 } })
    t.eq({ v.verdict, v.policy, v.file }, { "queue", "admission/cap_total", "policies/admission/cap_total.lua" })
    t.ok(v.line > 1)
    t.ok(v.generation ~= nil)
  end,

  ["without an opinion the built-in last word stands"] = function(t)
    local v = policy.decide("admission", facts())
    t.eq({ v.verdict, v.policy }, { "allow", "built-in" })
    t.eq(policy.decide("lifetime", facts()).verdict, "keep")
  end,

  ["a policy that raises denies admission, gives a retry up, keeps the rest"] = function(t)
    local function raise()
      error "policies/admission/cap_total.lua:9: boom"
    end
    with_decide("policies.admission.cap_total", raise, function()
      local v = policy.decide("admission", facts())
      t.eq({ v.verdict, v.failed, v.policy }, { "deny", true, "admission/cap_total" })
      t.ok(v.reason:find "boom")
    end)
    with_decide("policies.retry.backoff", raise, function()
      t.eq(policy.decide("retry", facts { attempt = { n = 1 } }).verdict, "give_up")
    end)
    with_decide("policies.idle.after_minutes", raise, function()
      t.eq(policy.decide("idle", facts()).verdict, "keep")
    end)
  end,

  ["rubbish is a fault"] = function(t)
    for _, answer in ipairs { "stop", 7, {}, { verdict = "stop" }, { verdict = "retry", at = 0 / 0 } } do
      with_decide("policies.admission.cap_total", function()
        return answer
      end, function()
        local v = policy.decide("admission", facts())
        t.eq({ v.verdict, v.failed }, { "deny", true })
      end)
    end
  end,

  ["an unknown fact raises and names the nearest"] = function(t)
    local guarded = guard.wrap(facts())
    t.raises(function()
      return guarded.idle_msec
    end, "no fact 'idle_msec'; did you mean idle_ms%?")
    t.raises(function()
      return guarded.settings.idle_minute
    end, "no fact 'settings.idle_minute'; did you mean settings.idle_minutes%?")
    t.eq(guarded.attempt.n, nil)
  end,

  ["pairs over facts shows what is known, guarded"] = function(t)
    local seen = {}
    for name, value in pairs(guard.wrap(facts())) do
      seen[name] = value
    end
    t.eq(seen.idle_ms, 0)
    t.raises(function()
      seen.counts.total = 9
    end, "read%-only")
  end,

  ["facts are read-only, all the way down"] = function(t)
    local guarded = guard.wrap(facts())
    t.raises(function()
      guarded.now = 1
    end, "read%-only")
    t.raises(function()
      guarded.counts.total = 1
    end, "read%-only")
  end,

  ["retries wait about 2, 4 and 8 seconds, then it is over"] = function(t)
    local waits = {}
    for n = 1, 3 do
      waits[n] = policy.decide("retry", facts { attempt = { n = n, code = "timeout" } }).at
    end
    t.eq(waits, { 2000, 4000, 8000 })
    local v = policy.decide("retry", facts { attempt = { n = 1, code = "busy", retry_after_ms = 70000 } })
    t.eq(v.at, 70000)
    t.eq(policy.decide("retry", facts { attempt = { n = 4, code = "timeout" } }).verdict, "give_up")
  end,

  ["idle says until when it keeps"] = function(t)
    local v = policy.decide("idle", facts { now = 1000, idle_ms = 400, settings = { idle_minutes = 1 } })
    t.eq({ v.verdict, v["until"] }, { "keep", 60600 })
  end,

  ["check names what is wrong with a file, and where"] = function(t)
    local file = require "policies.idle.after_minutes"
    local function faults(changes)
      local kept = {}
      for name, value in pairs(changes) do
        kept[name] = file[name]
        file[name] = value
      end
      local list = policy.check "policies/idle/after_minutes.lua"
      for name in pairs(changes) do
        file[name] = kept[name]
      end
      return list
    end
    t.ok(faults({ on = "idel" })[1].message:find "'on' says 'idel'")
    t.ok(faults({ ordr = 1 })[1].message:find "unknown field 'ordr'; did you mean 'order'%?")
    t.ok(faults({ doc = 7 })[1].message:find "'doc' must be a string")
    local wrong = { { name = "x", facts = { idle_ms = 0 }, expect = "stop" } }
    local fault = faults({ tests = wrong })[1]
    t.ok(fault.message:find "test 'x': expected stop, got keep")
    t.ok(fault.line > 1)
    t.eq(fault.file, "policies/idle/after_minutes.lua")
    t.ok(policy.check("policies/idel/x.lua")[1].message)
  end,
}
