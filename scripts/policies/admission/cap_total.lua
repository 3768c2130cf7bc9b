-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "At most max_active projects (default 20) of all users run at the same time; a further one waits its turn.",
  on = "admission",
  order = 10,

  decide = function(facts)
    local cap = facts.settings.max_active or 20
    if facts.counts.total >= cap then
      return queue(facts.counts.total .. " projects are active; the limit is " .. cap)
    end
  end,

  tests = {
    { name = "below the limit it has no opinion", facts = { counts = { total = 19 } } },
    { name = "at the limit the project waits", facts = { counts = { total = 20 } }, expect = "queue" },
    {
      name = "the limit is a setting",
      facts = { counts = { total = 2 }, settings = { max_active = 2 } },
      expect = "queue",
    },
  },
}
