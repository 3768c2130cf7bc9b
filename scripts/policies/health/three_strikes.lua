-- SPDX-License-Identifier: Apache-2.0
local GONE = { missing = true, stopped = true, failed = true, created = true } -- what its provider may say of it

return {
  doc = "A sandbox that is gone is replaced; after three failed checks in a row its server is restarted, then it is replaced, then stopped.",
  on = "health",
  order = 50,

  decide = function(facts)
    local gone = GONE[facts.sandbox.state]
    local failures = facts.health.failures or 0
    if not gone and failures < (facts.settings.health_failures or 3) then return nil end
    local why = gone and "the sandbox is gone" or failures .. " health checks failed in a row"
    if (facts.project.replaced or 0) >= 2 then
      return stop(why .. ", as in the two before it")
    elseif gone then
      return replace(why)
    elseif (facts.sandbox.restarts or 0) == 0 then
      return restart(why)
    end
    return replace(why .. " after a restart")
  end,

  tests = {
    { name = "two failures are no reason yet", facts = { health = { failures = 2 }, sandbox = { state = "running" } } },
    {
      name = "the third restarts the server",
      facts = { health = { failures = 3 }, sandbox = { state = "running" } },
      expect = "restart",
    },
    {
      name = "after a restart the sandbox is replaced",
      facts = { health = { failures = 3 }, sandbox = { state = "running", restarts = 1 } },
      expect = "replace",
    },
    {
      name = "a sandbox that is gone is replaced at once",
      facts = { health = { failures = 1 }, sandbox = { state = "missing" } },
      expect = "replace",
    },
    {
      name = "the third sandbox is given up",
      facts = { health = { failures = 3 }, sandbox = { state = "running" }, project = { replaced = 2 } },
      expect = "stop",
    },
  },
}
