-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "A day of a project's log is removed after log_days (default 30), or once the days after it fill log_mb (256).",
  of = "log_day",
  every_s = 3600,

  decide = function(item, facts)
    local days = facts.settings.log_days or 30
    local megabytes = facts.settings.log_mb or 256
    if item.age_ms > days * 86400000 then
      return remove("the log of " .. item.day .. " is older than " .. days .. " days")
    elseif item.newer > megabytes * 1048576 then
      return remove("newer days of this log fill " .. megabytes .. " MB")
    end
    return keep "it is recent"
  end,

  tests = {
    { name = "a day of this week stays", item = { day = "2026-11-20", age_ms = 86400000, newer = 0 }, expect = "keep" },
    {
      name = "after 31 days it goes",
      item = { day = "2026-10-20", age_ms = 2678400000, newer = 0 },
      expect = "remove",
    },
    {
      name = "a huge log keeps its newest part",
      item = { day = "2026-11-20", age_ms = 0, newer = 300000000 },
      expect = "remove",
    },
    {
      name = "the age is a setting",
      item = { day = "2026-11-20", age_ms = 172800000, newer = 0 },
      facts = { settings = { log_days = 1 } },
      expect = "remove",
    },
  },
}
