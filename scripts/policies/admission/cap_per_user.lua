-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "A user may have max_active_per_user projects (default 10) active at the same time.",
  on = "admission",
  order = 20,

  decide = function(facts)
    local cap = facts.settings.max_active_per_user or 10
    if facts.counts.user >= cap then
      local who = facts.user.name or facts.user.id or "this user"
      return deny(who .. " has " .. facts.counts.user .. " active projects; the limit is " .. cap)
    end
  end,

  tests = {
    { name = "below the limit it has no opinion", facts = { counts = { user = 9 } } },
    { name = "at the limit it denies", facts = { counts = { user = 10 } }, expect = "deny" },
    {
      name = "the limit is a setting",
      facts = { counts = { user = 1 }, settings = { max_active_per_user = 1 } },
      expect = "deny",
    },
  },
}
