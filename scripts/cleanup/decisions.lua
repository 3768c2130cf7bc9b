-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "Stored decisions and changes of state are removed after decision_days (default 90).",
  of = "decision",
  every_s = 3600,

  decide = function(item, facts)
    local days = facts.settings.decision_days or 90
    if item.age_ms > days * 86400000 then return remove("it is older than " .. days .. " days") end
    return keep "it is recent"
  end,

  tests = {
    { name = "a recent one stays", item = { age_ms = 86400000 }, expect = "keep" },
    { name = "an old one goes", item = { age_ms = 7862400000 }, expect = "remove" },
  },
}
