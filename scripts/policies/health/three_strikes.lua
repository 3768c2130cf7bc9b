-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "Three failed health checks in a row: the server is restarted once, then the sandbox replaced, then stopped.",
  on = "health",
  order = 50,

  decide = function(facts)
    local failures = facts.health.failures or 0
    if failures < (facts.settings.health_failures or 3) then return nil end
    local said = failures .. " health checks failed in a row"
    if facts.project.replaced and facts.project.replaced >= 2 then
      return stop(said .. ", also in a second new sandbox")
    elseif facts.sandbox.state ~= "running" then
      return replace(said .. " and the sandbox is gone")
    elseif (facts.sandbox.restarts or 0) == 0 then
      return restart(said)
    end
    return replace(said .. " after a restart")
  end,

  tests = {
    { name = "two failures are no reason yet", facts = { health = { failures = 2 } } },
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
      facts = { health = { failures = 3 }, sandbox = { state = "missing" } },
      expect = "replace",
    },
    {
      name = "the third sandbox is given up",
      facts = { health = { failures = 3 }, sandbox = { state = "running" }, project = { replaced = 2 } },
      expect = "stop",
    },
  },
}
