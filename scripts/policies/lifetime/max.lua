-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "A sandbox is stopped after max_lifetime_s, if that is set; until then its provider's time limit is extended.",
  on = "lifetime",
  order = 50,

  decide = function(facts)
    local born, expires = facts.sandbox.created_at, facts.sandbox.expires_at
    local life = facts.settings.max_lifetime_s
    if life and born and facts.now >= born + life * 1000 then
      return stop("the sandbox is " .. life .. " s old, which is the most it may live")
    elseif expires and facts.now >= expires - 60000 and facts.idle_ms < 60000 then
      return extend((facts.settings.timeout_s or 1800) * 1000, "it is in use and its time is nearly over")
    end
  end,

  tests = {
    { name = "without a limit it has no opinion", facts = { now = 9000, sandbox = { created_at = 0 } } },
    {
      name = "past its lifetime it stops",
      facts = { now = 9000, sandbox = { created_at = 0 }, settings = { max_lifetime_s = 9 } },
      expect = "stop",
    },
    {
      name = "in use and about to expire: it is extended",
      facts = { now = 90000, idle_ms = 0, sandbox = { expires_at = 120000 } },
      expect = "extend",
    },
    {
      name = "unused and about to expire: it is left to end",
      facts = { now = 90000, idle_ms = 70000, sandbox = { expires_at = 120000 } },
    },
  },
}
