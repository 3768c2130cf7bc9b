-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "A project that nobody used for idle_minutes (default 10; 0 = never) is stopped.",
  on = "idle",
  order = 50,

  decide = function(facts)
    local minutes = facts.settings.idle_minutes or 10
    if minutes == 0 then return keep "idle_minutes is 0: it never stops for being idle" end
    local limit = minutes * 60000
    if facts.idle_ms >= limit then return stop("idle for " .. facts.idle_ms // 60000 .. " minutes") end
    return keep("used in the last " .. minutes .. " minutes", facts.now + limit - facts.idle_ms)
  end,

  tests = {
    { name = "used a minute ago: it stays", facts = { idle_ms = 60000 }, expect = "keep" },
    { name = "unused for ten minutes: it stops", facts = { idle_ms = 600000 }, expect = "stop" },
    {
      name = "a project can have its own limit",
      facts = { idle_ms = 120000, settings = { idle_minutes = 2 } },
      expect = "stop",
    },
    {
      name = "0 means never",
      facts = { idle_ms = 86400000, settings = { idle_minutes = 0 } },
      expect = "keep",
    },
  },
}
